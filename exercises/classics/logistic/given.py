n = 8
x = data(8, 5)
y = labels(2, 8, 1)
W1 = param(5, 6)
b1 = param(6, scale=0.5)
W2 = param(6, 1, scale=0.2)
b2 = param(1, scale=0.2)
