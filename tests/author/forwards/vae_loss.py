# a VAE on binary pixels: reparametrisation, BCE with reduction='sum', KLD of Appendix B
# --- given
x = uniform(5, 12)
W1 = param(12, 8)
W21 = param(8, 3)
W22 = param(8, 3)
W3 = param(3, 8)
W4 = param(8, 12)
# --- lines
def encode(x):
    h1 = F.relu(x @ W1)
    return h1 @ W21, h1 @ W22

def reparameterize(mu, logvar):
    std = torch.exp(0.5*logvar)
    eps = torch.randn_like(std)
    return mu + eps*std

def decode(z):
    h3 = F.relu(z @ W3)
    return torch.sigmoid(h3 @ W4)

mu, logvar = encode(x.view(-1, 12))
z = reparameterize(mu, logvar)
recon_x = decode(z)
BCE = F.binary_cross_entropy(recon_x, x.view(-1, 12), reduction='sum')
# see Appendix B from VAE paper
KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
loss = BCE + KLD
