x = data(300, 256)
w = param(256)
g = data(300, 256)
