scores = x @ W
picked = scores[range(3), y]
loss = picked.sum()
