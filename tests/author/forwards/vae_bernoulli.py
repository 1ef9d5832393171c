# a VAE with the reparametrisation, free bits and a KL weight
# --- given
beta = 0.5
free_bits = 0.05
x = data(4, 6)
W_enc = param(6, 8)
b_enc = param(8)
W_mu = param(8, 3)
b_mu = param(3)
W_logvar = param(8, 3)
b_logvar = param(3)
W_dec = param(3, 8)
b_dec = param(8)
W_out = param(8, 6)
b_out = param(6)
# --- lines
def encode(x):
    h = F.leaky_relu(x @ W_enc + b_enc, 0.2)
    return h @ W_mu + b_mu, h @ W_logvar + b_logvar

def reparameterize(mu, logvar):
    std = torch.exp(0.5 * logvar)
    eps = torch.randn_like(std)
    return mu + eps * std

x01 = torch.sigmoid(x)
mu, logvar = encode(x01)
z = reparameterize(mu, logvar)
recon = torch.sigmoid(F.leaky_relu(z @ W_dec + b_dec, 0.2) @ W_out + b_out)
BCE = F.binary_cross_entropy(recon, x01, reduction='sum') / x.size(0)
KLD = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp())
KLD = torch.clamp(KLD.mean(0), min=free_bits).sum()
loss = BCE + beta * KLD
