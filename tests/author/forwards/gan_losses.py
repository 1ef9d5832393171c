# a GAN's two losses with BCE with logits; the fake is detached for the discriminator
# --- given
z = data(6, 4)
real = data(6, 5)
G1 = param(4, 8)
G2 = param(8, 5)
D1 = param(5, 8)
D2 = param(8, 1)
# --- lines
G = lambda z: torch.tanh(F.leaky_relu(z @ G1, 0.2) @ G2)
D = lambda x: F.leaky_relu(x @ D1, 0.2) @ D2
fake = G(z)
real_label = torch.ones(real.size(0), 1)
fake_label = torch.zeros(real.size(0), 1)
d_real = F.binary_cross_entropy_with_logits(D(real), real_label)
d_fake = F.binary_cross_entropy_with_logits(D(fake.detach()), fake_label)
errD = (d_real + d_fake) / 2
errG = F.binary_cross_entropy_with_logits(D(fake), real_label)
loss = errD + errG
