x = data(2, 5, 4)
Wk = param(4, 4)
bk = param(4)
g = data(2, 5, 4)
