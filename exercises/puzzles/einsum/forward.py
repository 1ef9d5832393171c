y = torch.einsum("bi,ij,bj->b", u, W, v)
loss = (y * dy).sum()
