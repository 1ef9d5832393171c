n = 8
x = data(8, 5, scale=0.5)
W = param(5, 4)
b = param(4)
y = labels(4, 8)
