n = 8
x = data(8, 5)
y = labels(3, 8)
W1 = param(5, 6)
b1 = param(6, scale=0.5)
W2 = param(6, 3, scale=0.15)
b2 = param(distinct(3, scale=2.0))
