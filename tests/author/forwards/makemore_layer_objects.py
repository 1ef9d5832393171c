# an object of own classes (not nn.Module) that hold given tensors, as in makemore part 3
# --- given
x = data(5, 4)
W = param(4, 6)
b = param(6)
V = param(6, 2)
y = labels(2, 5)
# --- lines
class Linear:
    def __init__(self, weight, bias=None):
        self.weight, self.bias = weight, bias
    def __call__(self, x):
        self.out = x @ self.weight
        if self.bias is not None:
            self.out += self.bias
        return self.out
    def parameters(self):
        return [self.weight] + ([] if self.bias is None else [self.bias])

class Tanh:
    def __call__(self, x):
        self.out = torch.tanh(x)
        return self.out

layers = [Linear(W, b), Tanh(), Linear(V)]
for layer in layers:
    x = layer(x)
loss = F.cross_entropy(x, y) + 1e-3 * sum((p**2).sum() for layer in layers if hasattr(layer, 'parameters') for p in layer.parameters())
