n = 8
x = data(8, 5, scale=2.0)
y = labels(3, 8)
W1 = param(5, 6)
b1 = param(6, scale=0.5)
gamma = param(6, mean=1.0, scale=0.2)
beta = param(6, scale=0.2)
W2 = param(6, 3, scale=0.05)
b2 = param(3, scale=0.5)
