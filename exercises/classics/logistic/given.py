n = 24
x = data(24, 5)
y = labels(2, 24, 1)
W1 = param(5, 6)
b1 = param(6, scale=0.5)
W2 = param(6, 1, scale=0.2)
b2 = param(1, scale=0.2)
