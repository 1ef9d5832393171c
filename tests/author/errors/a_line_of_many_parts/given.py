x = data(4, 3)
w = param(3)
y = uniform(4)
