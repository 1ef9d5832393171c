# a triplet loss by hand with squared distances and a margin
# --- given
a = data(5, 6)
p = data(5, 6)
n = data(5, 6)
W = param(6, 3)
margin = 0.2
# --- lines
anchor, positive, negative = (F.normalize(v @ W, p=2, dim=-1) for v in (a, p, n))
distance_positive = (anchor - positive).pow(2).sum(1)  # .pow(.5)
distance_negative = (anchor - negative).pow(2).sum(1)
losses = F.relu(distance_positive - distance_negative + margin)
loss = losses.mean() if True else losses.sum()
