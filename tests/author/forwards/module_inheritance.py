# own modules with inheritance, super().forward, a property, a static method
# --- given
net = Child(3)
x = data(2, 3)
# --- lines
class Base(nn.Module):
    scale = 2.0
    def __init__(self, n):
        super().__init__()
        self.n = n
        self.w = nn.Parameter(torch.randn(n, n) / n ** 0.5)
        self.log_s = nn.Parameter(torch.zeros(1))
    @property
    def s(self):
        return self.log_s.exp() * self.scale
    @staticmethod
    def act(x):
        return torch.tanh(x)
    def forward(self, x):
        return self.act(x @ self.w) * self.s

class Child(Base):
    def __init__(self, n):
        super().__init__(n)
        self.bias = nn.Parameter(torch.zeros(n))
    def forward(self, x):
        h = super().forward(x)
        return h + self.bias

loss = net(x).square().sum()
