x = data(2)
w = param(2)
