"""A module and functions that are traced."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """A feed-forward block with a residual."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(n)
        self.up = nn.Linear(n, 2 * n)
        self.down = nn.Linear(2 * n, n)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        h = self.norm(x)
        a = F.gelu(self.up(h))
        return x + self.down(a)  # type: ignore[no-any-return]


block = Block(4)


def attention(x: Tensor, W: Tensor, g: Tensor, heads: int) -> Tensor:
    """Return a loss with a wall, noise, a mask and a write in place."""
    B, T, C = x.shape
    q, k, v = [each.view(B, T, heads, -1).transpose(1, 2) for each in (x @ W).chunk(3, dim=-1)]
    att = q @ k.transpose(-2, -1) / math.sqrt(C)
    att = att.masked_fill(torch.ones(T, T).triu(1) == 1, float("-inf"))
    att = torch.softmax(att, dim=-1)
    with torch.no_grad():
        scale = att.mean()
    out = (att @ v).transpose(1, 2).contiguous().reshape(B, T, C)
    out += torch.randn_like(out)
    loss: Tensor = (out * g).sum() * scale
    return loss


def branch(x: Tensor) -> Tensor:
    """Return what depends on a tensor's values."""
    if x.sum() > 0:
        return x.sum()
    return x.mean()


def fourier(x: Tensor) -> Tensor:
    """Return what the language does not hold."""
    loss: Tensor = torch.fft.rfft(x).abs().sum()
    return loss
