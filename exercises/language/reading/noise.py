"""Random numbers in lines: they become given, drawn from the instance's seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exercises.language.reading.creation import size_of
from exercises.language.reading.session import Session
from exercises.language.reading.values import Traced


def knows(path: str) -> bool:
    """Return whether a path names a function that draws random numbers."""
    return path in _FUNCTIONS


def called(session: Session, path: str, positional: list[Any], options: dict[str, Any]) -> Traced:
    """Return a given tensor in place of random numbers."""
    options = {key: value for key, value in options.items() if key != "dtype"}
    return _FUNCTIONS[path](session, positional, options)


def _like(kind: str, name: str) -> Callable[[Session, list[Any], dict[str, Any]], Traced]:
    def draw(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
        return session.noise(kind, name, positional[0].value.shape)

    return draw


def _shaped(kind: str, name: str) -> Callable[[Session, list[Any], dict[str, Any]], Traced]:
    def draw(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
        return session.noise(kind, name, size_of(session, [options["size"]] if "size" in options else positional))

    return draw


def _randint(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
    *bounds, shape = positional if "size" not in options else [*positional, options["size"]]
    low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    drawn = session.noise("labels", "chosen", (high - low, *size_of(session, [shape])))
    return drawn if not low else session.operation("add", drawn, low)


def _normal(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
    mean, std = positional[:2]
    shape = next((each.value.shape for each in (mean, std) if isinstance(each, Traced)), None)
    eps = session.noise("data", "eps", shape if shape is not None else size_of(session, [*positional[2:3]]))
    moved: Traced = session.operation("add", session.operation("mul", eps, std), mean)
    return session.operation("detach", moved) if session.has_gradient(moved.expression) else moved


def _bernoulli(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
    share = positional[0]
    below = session.operation("lt", session.noise("uniform", "u", share.value.shape), share)
    drawn: Traced = session.operation("float", below)
    return drawn


def dropout(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
    """Return a tensor whose elements are kept as a given mask says."""
    arguments = {**dict(zip(("input", "p", "training"), positional, strict=False)), **options}
    value, share, training = arguments["input"], arguments.get("p", 0.5), arguments.get("training", True)
    if not training or share == 0:
        return value  # type: ignore[no-any-return]
    if not 0 < share < 1:
        raise session.refused(f"dropout of {share} keeps nothing", "Set p below 1.")
    keep = session.noise("mask", "keep", value.value.shape, share=1 - share)
    kept: Traced = session.operation("div", session.operation("mul", value, keep), 1 - share)
    return kept


def _permutation(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
    return session.noise("permutation", "order", size_of(session, positional[:1]))


def _gumbel(session: Session, positional: list[Any], options: dict[str, Any]) -> Traced:
    arguments = {**dict(zip(("logits", "tau", "hard"), positional, strict=False)), **options}
    if arguments.get("hard"):
        raise session.refused("a hard choice depends on a tensor's values", "Set hard=False.")
    logits = arguments["logits"]
    noise = session.noise("uniform", "u", logits.value.shape, low=0.01, high=0.99)
    gumbel = session.operation(
        "neg", session.operation("log", session.operation("neg", session.operation("log", noise)))
    )
    scores = session.operation("div", session.operation("add", logits, gumbel), arguments.get("tau", 1))
    soft: Traced = session.operation("softmax", scores, arguments.get("dim", -1))
    return soft


def drawn_in_place(session: Session, receiver: Traced, name: str, positional: list[Any]) -> Traced:
    """Return the random numbers of ``normal_``, ``uniform_`` or ``bernoulli_``, in the shape of the receiver."""
    shape = receiver.value.shape
    if name == "uniform_":
        low, high = (*positional, 0.0, 1.0)[:2] if len(positional) >= 2 else (0.0, 1.0)
        return session.noise("uniform", "u", shape, **({} if (low, high) == (0, 1) else {"low": low, "high": high}))
    if name == "bernoulli_":
        share = positional[0] if positional else 0.5
        keep: Traced = session.operation("float", session.noise("mask", "keep", shape, share=share))
        return keep
    mean, std = (*positional, 1.0)[:2] if len(positional) >= 2 else (positional[0] if positional else 0.0, 1.0)
    options = {key: value for key, value, default in (("mean", mean, 0), ("scale", std, 1)) if value != default}
    return session.noise("data", "eps", shape, **options)


IN_PLACE: Final = ("normal_", "uniform_", "bernoulli_")
_FUNCTIONS: Final[dict[str, Callable[[Session, list[Any], dict[str, Any]], Traced]]] = {
    "torch.randn_like": _like("data", "eps"), "torch.rand_like": _like("uniform", "u"),
    "torch.randn": _shaped("data", "eps"), "torch.rand": _shaped("uniform", "u"), "torch.randint": _randint,
    "torch.normal": _normal, "torch.bernoulli": _bernoulli, "torch.randperm": _permutation,
    "F.dropout": dropout, "F.gumbel_softmax": _gumbel, "torch.dropout": dropout,
}  # fmt: skip
