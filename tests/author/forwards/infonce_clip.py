# CLIP / InfoNCE: normalised embeddings, a learned temperature, symmetric cross-entropy
# --- given
images = data(6, 8)
texts = data(6, 7)
Wi = param(8, 5)
Wt = param(7, 5)
logit_scale = param(1, mean=1.0, scale=0.1)
# --- lines
image_features = images @ Wi
text_features = texts @ Wt
# normalized features
image_features = image_features / image_features.norm(dim=1, keepdim=True)
text_features = text_features / text_features.norm(dim=-1, keepdim=True)
# cosine similarity as logits
logits_per_image = logit_scale.exp() * image_features @ text_features.t()
logits_per_text = logits_per_image.t()
labels = torch.arange(images.shape[0], device=images.device)
loss = (F.cross_entropy(logits_per_image, labels) + F.cross_entropy(logits_per_text, labels)) / 2
