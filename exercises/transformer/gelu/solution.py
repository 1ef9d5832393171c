dgate = dapprox * x
dt = 0.5 * dgate
dinner = dt * (1.0 - t ** 2)
dcube = 0.044715 * (0.7978845608028654 * dinner)
dcdf = dexact * x
de = 0.5 * dcdf
dz = 1.1283791670955126 * torch.exp(-(z ** 2)) * de  # 2 / sqrt(pi) * exp(-z ** 2)
dx = dapprox * gate + 0.7978845608028654 * dinner + 3.0 * x ** 2 * dcube + dexact * cdf + dz / 2.0 ** 0.5
