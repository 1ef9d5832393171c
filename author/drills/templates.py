"""What a drill is made of: lines, what they start from, and the mistake that they invite.

``N`` and ``M`` stand for sizes and ``P`` for a number, which the seed decides; ``N`` and ``M`` differ. ``wrong`` is
what somebody writes who makes the mistake: statements for one gradient. All other gradients are derived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grader.diagnosis.codes import Code


@dataclass(frozen=True)
class Template:
    """A drill before its sizes are drawn.

    ``asked`` are the checkpoints, from the loss back. ``step`` is the one at which the mistake shows.
    """

    lines: str
    given: str
    asked: tuple[str, ...]
    step: str
    wrong: str


def _of(lines: str, given: str, asked: str, step: str, wrong: str) -> Template:
    """Return a template from texts in which ``;`` separates lines."""
    return Template(_split(lines), _split(given), tuple(asked.split()), step, _split(wrong))


def _split(text: str) -> str:
    return "\n".join(each.strip() for each in text.split(";"))


_X: Final = "x = param(N, M)"
_G: Final = "g = data(N, M)"
_XG: Final = f"{_X}; {_G}"
_LOSS: Final = "loss = (y * g).sum()"

TEMPLATES: Final[dict[Code, tuple[Template, ...]]] = {
    Code.MISSING_TERM: (
        _of(f"a = torch.tanh(x); y = a * x; {_LOSS}", _XG, "y a x", "x", "dx = (1.0 - a**2) * da"),
        _of(f"a = x.exp(); y = a + x; {_LOSS}", _XG, "y a x", "x", "dx = da * a"),
        _of(f"s = x.sum(1, keepdim=True); y = x * s; {_LOSS}", _XG, "y s x", "x", "dx = dy * s"),
        _of(f"a = x @ W; y = a * x; {_LOSS}", f"{_XG}; W = param(M, M)", "y a x W", "x", "dx = da @ W.T"),
        _of(f"m = x.mean(0, keepdim=True); y = x * m; {_LOSS}", _XG, "y m x", "x", "dx = dy * m"),
        _of(f"a = x**2; y = x / (a + 1); {_LOSS}", _XG, "y a x", "x", "dx = dy / (a + 1)"),
    ),
    Code.DOUBLE_COUNTED: (
        _of(f"a = torch.tanh(x); y = a * x; {_LOSS}", _XG, "y a x", "x", "dx = dy * a + dy * a + (1.0 - a**2) * da"),
        _of(f"a = x.exp(); y = a * x; {_LOSS}", _XG, "y a x", "x", "dx = dy * a + da * a + da * a"),
        _of(f"s = x.sum(1, keepdim=True); y = x * s; {_LOSS}", _XG, "y s x", "x", "dx = dy * s + ds + ds"),
        _of(f"a = x @ W; y = a * x; {_LOSS}", f"{_XG}; W = param(M, M)", "y a x W", "x",
            "dx = dy * a + da @ W.T + da @ W.T"),
        _of(f"a = torch.sigmoid(x); y = a * x; {_LOSS}", _XG, "y a x", "x",
            "dx = dy * a + da * a * (1 - a) + da * a * (1 - a)"),
    ),
    Code.TERM_SIGN: (
        _of(f"m = x.mean(0, keepdim=True); y = x - P * m; {_LOSS}", _XG, "y m x", "x", "dx = dy - dm / N"),
        _of(f"a = torch.tanh(x); y = x - P * a; {_LOSS}", _XG, "y a x", "x", "dx = dy - (1.0 - a**2) * da"),
        _of(f"a = x.cos(); y = a * x; {_LOSS}", _XG, "y a x", "x", "dx = dy * a + da * x.sin()"),
        _of(f"a = 1 / (x**2 + 1); y = a + P * x; {_LOSS}", _XG, "y a x", "x", "dx = P * dy + 2 * x * a**2 * da"),
        _of(f"s = x.sum(1, keepdim=True); y = s - P * x; {_LOSS}", _XG, "y s x", "x", "dx = P * dy + ds"),
    ),
    Code.TERM_SCALE: (
        _of(f"m = x.mean(1, keepdim=True); y = x * m; {_LOSS}", _XG, "y m x", "x", "dx = dy * m + dm"),
        _of(f"a = x**2; y = a + x.sin(); {_LOSS}", _XG, "y a x", "x", "dx = dy * x.cos() + x * da"),
        _of(f"a = P * x; y = a.exp() + x; {_LOSS}", _XG, "y a x", "x", "dx = dy + da"),
        _of(f"a = x**3; y = a + x.sin(); {_LOSS}", _XG, "y a x", "x", "dx = dy * x.cos() + x**2 * da"),
        _of(f"a = x / P; y = torch.tanh(a) * x; {_LOSS}", _XG, "y a x", "x", "dx = dy * torch.tanh(a) + da"),
    ),
    Code.SIGN: (
        _of(f"a = c - x; y = a.exp(); {_LOSS}", f"{_XG}; c = data(N, M)", "y a x", "x", "dx = da"),
        _of(f"a = x - b; y = torch.tanh(a); {_LOSS}", f"{_XG}; b = param(M)", "y a x b", "b", "db = da.sum(0)"),
        _of(f"a = x.cos(); y = a**2; {_LOSS}", _XG, "y a x", "x", "dx = da * x.sin()"),
        _of(f"a = (x**2 + 1)**-1; y = a.sin(); {_LOSS}", _XG, "y a x", "x", "dx = 2 * x * a**2 * da"),
        _of(f"a = u / w; y = torch.tanh(a); {_LOSS}", f"u = param(N, M); w = param(positive(N, M)); {_G}", "y a u w",
            "w", "dw = da * u / w**2"),
    ),
    Code.SCALE: (
        _of(f"a = x**2; y = a.sin(); {_LOSS}", _XG, "y a x", "x", "dx = x * da"),
        _of("a = torch.tanh(x); y = a.mean(1); loss = (y * g).sum()", f"{_X}; g = data(N)", "y a x", "a",
            "da = dy.unsqueeze(1).expand_as(a)"),
        _of(f"a = P * x; y = a.exp(); {_LOSS}", _XG, "y a x", "x", "dx = da"),
        _of(f"a = x**3; y = torch.tanh(a); {_LOSS}", _XG, "y a x", "x", "dx = x**2 * da"),
        _of(f"a = x / P; y = torch.sigmoid(a); {_LOSS}", _XG, "y a x", "x", "dx = P * da"),
    ),
    Code.TRANSPOSED: (
        _of(f"a = x @ W; y = torch.tanh(a); {_LOSS}", f"{_XG}; W = param(M, M)", "y a x W", "x", "dx = da @ W"),
        _of(f"a = x @ W; y = a.exp(); {_LOSS}", f"{_XG}; W = param(M, M)", "y a x W", "W", "dW = da.T @ x"),
        _of(f"a = x @ W.T; y = a.sin(); {_LOSS}", f"{_XG}; W = param(M, M)", "y a x W", "x", "dx = da @ W.T"),
        _of(f"a = x @ W.T; y = a**2; {_LOSS}", f"{_XG}; W = param(M, M)", "y a x W", "W", "dW = x.T @ da"),
        _of(f"a = x.T; y = torch.tanh(a @ W); {_LOSS}", "x = param(N, N); W = param(N, M); g = data(N, M)", "y a x",
            "x", "dx = da"),
    ),
    Code.NOT_REDUCED: (
        _of(f"a = x + b; y = torch.tanh(a); {_LOSS}", f"{_XG}; b = param(M)", "y a x b", "b", "db = da"),
        _of(f"a = x * w; y = a.exp(); {_LOSS}", f"{_XG}; w = param(M)", "y a x w", "w", "dw = da * x"),
        _of(f"a = x * c; y = a.sin(); {_LOSS}", f"{_XG}; c = param(N, 1)", "y a x c", "c", "dc = da * x"),
        _of(f"a = x - b; y = a**2; {_LOSS}", f"{_XG}; b = param(1, M)", "y a x b", "b", "db = -da"),
        _of(f"a = x / s; y = torch.tanh(a); {_LOSS}", f"{_XG}; s = param(positive(N, 1))", "y a x s", "s",
            "ds = -da * a / s"),
    ),
    Code.WRONG_AXIS: (
        _of("a = x + b; y = torch.tanh(a); loss = (y * g).sum()", "x = param(N, N); b = param(N); g = data(N, N)",
            "y a x b", "b", "db = da.sum(1)"),
        _of("a = x * w; y = a.exp(); loss = (y * g).sum()", "x = param(N, N); w = param(N); g = data(N, N)", "y a x w",
            "w", "dw = (da * x).sum(1)"),
        _of("a = x / w; y = torch.sigmoid(a); loss = (y * g).sum()",
            "x = param(N, N); w = param(positive(N)); g = data(N, N)", "y a x w", "w", "dw = -(da * a / w).sum(1)"),
        _of("a = x * x; y = a.sum(1); loss = (y * g).sum()", "x = param(N, N); g = data(N)", "y a x", "a",
            "da = dy.expand_as(a)"),
        _of("a = x - b; y = a.sin(); loss = (y * g).sum()", "x = param(N, N); b = param(N); g = data(N, N)", "y a x b",
            "b", "db = -da.sum(1)"),
    ),
    Code.MISSING_UPSTREAM: (
        _of(f"a = torch.tanh(x); y = a.exp(); {_LOSS}", _XG, "y a x", "x", "dx = 1.0 - a**2"),
        _of(f"a = x.exp(); y = a.sin(); {_LOSS}", _XG, "y a x", "x", "dx = a"),
        _of(f"a = x**2; y = torch.tanh(a); {_LOSS}", _XG, "y a x", "x", "dx = 2 * x"),
        _of(f"a = u * v; y = torch.sigmoid(a); {_LOSS}", f"u = param(N, M); v = param(N, M); {_G}", "y a u v", "u",
            "du = v"),
        _of(f"a = torch.sigmoid(x); y = a**2; {_LOSS}", _XG, "y a x", "x", "dx = a * (1.0 - a)"),
    ),
    Code.MISSING_LOCAL: (
        _of(f"a = torch.tanh(x); y = a.exp(); {_LOSS}", _XG, "y a x", "x", "dx = da"),
        _of(f"a = x.exp(); y = a.sin(); {_LOSS}", _XG, "y a x", "x", "dx = da"),
        _of(f"a = torch.relu(x); y = a**2 + a; {_LOSS}", _XG, "y a x", "x", "dx = da"),
        _of(f"a = u * v; y = torch.sigmoid(a); {_LOSS}", f"u = param(N, M); v = param(N, M); {_G}", "y a u v", "u",
            "du = da"),
        _of(f"a = torch.sigmoid(x); y = a**2; {_LOSS}", _XG, "y a x", "x", "dx = da"),
    ),
    Code.OVERWRITTEN: (
        _of("e = E[i]; y = torch.tanh(e); loss = (y * g).sum()", "E = param(3, M); i = labels(3, 8); g = data(8, M)",
            "y e E", "E", "dE = torch.zeros_like(E); dE[i] = de"),
        _of("e = E[i]; y = e.exp(); loss = (y * g).sum()", "E = param(3, M); i = labels(3, 2, 4); g = data(2, 4, M)",
            "y e E", "E", "dE = torch.zeros_like(E); dE[i] = de"),
        _of("e = x[:, i]; y = e**2; loss = (y * g).sum()", "x = param(N, 3); i = labels(3, 7); g = data(N, 7)", "y e x",
            "x", "dx = torch.zeros_like(x); dx[:, i] = de"),
        _of("e = w[i]; y = e.sin(); loss = (y * g).sum()", "w = param(4); i = labels(4, 9); g = data(9)", "y e w", "w",
            "dw = torch.zeros_like(w); dw[i] = de"),
        _of("e = E[i]; y = torch.sigmoid(e); loss = (y * g).sum()",
            "E = param(2, M); i = labels(2, 6); g = data(6, M)", "y e E", "E",
            "dE = torch.zeros_like(E); dE[i] += de"),
    ),
    Code.SWAPPED: (
        _of(f"a = u * v; y = torch.tanh(a); {_LOSS}", f"u = param(N, M); v = param(N, M); {_G}", "y a u v", "u",
            "du = da * u"),
        _of(f"a = torch.tanh(x); y = a * w; {_LOSS}", f"{_XG}; w = param(N, M)", "y w a x", "a", "da = dy * a"),
        _of(f"a = u.exp() * v; y = a.sin(); {_LOSS}", f"u = param(N, M); v = param(N, M); {_G}", "y a u v", "u",
            "du = da * u.exp()"),
        _of(f"a = torch.tanh(u) * v; y = a**2; {_LOSS}", f"u = param(N, M); v = param(N, M); {_G}", "y a u v", "u",
            "du = da * torch.tanh(u)"),
        _of(f"a = f * i; y = a.exp(); {_LOSS}", f"f = param(N, M); i = param(N, M); {_G}", "y a f i", "f",
            "df = da * f"),
    ),
    Code.ALIASED: (
        _of("m = x.mean(0, keepdim=True); a = x - m; loss = (a**2 * g).sum()", _XG, "a m x", "a",
            "dx = da; dx += dm / N"),
        _of("s = x.sum(1, keepdim=True); a = x + s; loss = (a.exp() * g).sum()", _XG, "a s x", "a",
            "dx = da; dx += ds"),
        _of("m = x.mean(1, keepdim=True); a = x - m; loss = (a.sin() * g).sum()", _XG, "a m x", "a",
            "dx = da; dx += dm / M"),
        _of("s = x.sum(0, keepdim=True); a = x + s; loss = (torch.tanh(a) * g).sum()", _XG, "a s x", "a",
            "dx = da; dx += ds"),
        _of("e = x.exp(); a = x - e; loss = (a.sin() * g).sum()", _XG, "a e x", "a", "dx = da; dx += e * de"),
    ),
}  # fmt: skip
"""Kind → its templates. ``unknown`` has none: nothing can be practised of it."""
