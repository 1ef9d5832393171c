x = data(600, 600)
z = data(600, 600)
w = param(600)
