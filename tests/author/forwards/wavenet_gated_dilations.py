# separable conv, dilated conv1d causal (WaveNet) with gating & residual in a loop over dilations
# --- given
x = data(1, 2, 10)
wf = param(3, 2, 2, 2, scale=0.5)
wg = param(3, 2, 2, 2, scale=0.5)
wr = param(3, 2, 2, 1, scale=0.5)
g = data(1, 2, 10)
# --- lines
skip = 0
h = x
for i, d in enumerate([1, 2, 4]):
    hp = F.pad(h, (d, 0))
    f = torch.tanh(F.conv1d(hp, wf[i], dilation=d))
    gate = torch.sigmoid(F.conv1d(hp, wg[i], dilation=d))
    z = f * gate
    s = F.conv1d(z, wr[i])
    skip = skip + s
    h = h + s
loss = (F.relu(skip) * g).sum()
