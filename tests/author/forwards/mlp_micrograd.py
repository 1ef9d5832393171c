# micrograd-like: lists of weights, a loop over layers, hinge loss with L2
# --- given
X = data(10, 2)
W0 = param(2, 8)
W1 = param(8, 8)
W2 = param(8, 1)
b0 = param(8)
b1 = param(8)
b2 = param(1)
yb = labels(2, 10)
alpha = 1e-4
# --- lines
weights, biases = [W0, W1, W2], [b0, b1, b2]
act = X
for i, (W, b) in enumerate(zip(weights, biases)):
    act = act @ W + b
    if i < len(weights) - 1:
        act = act.relu()
scores = act.squeeze(-1)
yi = yb * 2 - 1
losses = (1 + -yi * scores).relu()
data_loss = losses.sum() * (1.0 / len(losses))
reg_loss = alpha * sum((p * p).sum() for p in weights + biases)
total_loss = data_loss + reg_loss
accuracy = ((yi > 0) == (scores > 0)).float().mean()
print(f"loss {total_loss.item()}, accuracy {accuracy*100}%")
