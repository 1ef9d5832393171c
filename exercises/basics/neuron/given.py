x = data(3)
w = param(3, scale=0.5)
b = param(1, scale=0.3)
target = data(1, scale=0.5)
