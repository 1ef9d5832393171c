x = zeros(6, 4)
w = param(4)
g = data(6, 4)
