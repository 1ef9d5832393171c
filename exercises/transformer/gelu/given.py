x = param(16, 64, scale=1.5)
dexact = data(16, 64, scale=0.02)
dapprox = data(16, 64, scale=0.02)
