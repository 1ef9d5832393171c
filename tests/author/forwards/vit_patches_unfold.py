# ViT: patches by unfold, a class token, position embeddings
# --- given
img = data(2, 3, 8, 8)
W = param(48, 10)
cls_token = param(1, 1, 10)
pos_embed = param(1, 5, 10)
Wh = param(10, 4)
y = labels(4, 2)
# --- lines
B, C, H, Wd = img.shape
p = 4
patches = img.unfold(2, p, p).unfold(3, p, p)  # B C H/p W/p p p
patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(B, -1, C * p * p)
tokens = patches @ W
cls = cls_token.expand(B, -1, -1)
tokens = torch.cat([cls, tokens], dim=1)
tokens = tokens + pos_embed
logits = tokens[:, 0] @ Wh
loss = F.cross_entropy(logits, y, label_smoothing=0.1)
