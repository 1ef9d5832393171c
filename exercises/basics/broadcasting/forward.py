shifted = x + row
scaled = shifted * column
total = scaled.sum(1, keepdim=True)
y = scaled - total
loss = (y * dy).sum()
