# Transformer encoder layer as module with nn.MultiheadAttention style own code, dataclass config
# --- given
model = Enc(Cfg(d=6, h=2))
x = data(2, 3, 6)
g = data(2, 3, 6)
# --- lines
from dataclasses import dataclass

@dataclass
class Cfg:
    d: int = 8
    h: int = 2
    p: float = 0.0

class Attn(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.q = nn.Linear(cfg.d, cfg.d, bias=False)
        self.k = nn.Linear(cfg.d, cfg.d, bias=False)
        self.v = nn.Linear(cfg.d, cfg.d, bias=False)
        self.o = nn.Linear(cfg.d, cfg.d)
        self.h = cfg.h
        self.scale = (cfg.d // cfg.h) ** -0.5
    def split(self, t):
        b, n, d = t.shape
        return t.reshape(b, n, self.h, d // self.h).permute(0, 2, 1, 3)
    def forward(self, x):
        q, k, v = [self.split(f(x)) for f in (self.q, self.k, self.v)]
        a = torch.softmax(q @ k.mT * self.scale, dim=-1)
        o = (a @ v).permute(0, 2, 1, 3).flatten(2)
        return self.o(o)

class Enc(nn.Module):
    def __init__(self, cfg: Cfg):
        super().__init__()
        self.attn = Attn(cfg)
        self.norm1, self.norm2 = nn.LayerNorm(cfg.d), nn.LayerNorm(cfg.d)
        self.ff = nn.Sequential(nn.Linear(cfg.d, 12), nn.ReLU(), nn.Linear(12, cfg.d))
        self.drop = nn.Dropout(cfg.p)
    def forward(self, x):
        x = self.norm1(x + self.drop(self.attn(x)))
        return self.norm2(x + self.drop(self.ff(x)))

out = model(x)
loss = (out * g).sum()
