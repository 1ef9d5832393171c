x = ones(3, 4)
w = param(ones(4))
