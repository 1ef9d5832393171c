# batch norm and instance norm by hand on images, then a style (Gram) loss
# --- given
x = data(2, 3, 4, 4)
w = param(3, 3, 1, 1)
gamma = param(1, 3, 1, 1, mean=1.0, scale=0.1)
beta = param(1, 3, 1, 1)
style = data(2, 3, 4, 4)
eps = 1e-5
# --- lines
def gram_matrix(input):
    a, b, c, d = input.size()
    features = input.view(a * b, c * d)
    G = torch.mm(features, features.t())
    return G.div(a * b * c * d)

out = F.conv2d(x, w)
mean = out.mean(dim=(0, 2, 3), keepdim=True)
var = out.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
out = (out - mean) / torch.sqrt(var + eps) * gamma + beta
mu = out.mean([2, 3], keepdim=True)
sd = out.std([2, 3], keepdim=True) + eps
out = (out - mu) / sd
target = gram_matrix(style).detach()
loss = F.mse_loss(gram_matrix(out), target)
