x = data(2, 5, 4)
Wqkv = param(4, 12)
bqkv = param(12)
g = data(2, 5, 4)
