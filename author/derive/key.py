"""The answer key of an exercise: all backward lines as a solution, and as derivations of three lines each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from torch import Tensor

from author.derive.lines import BackwardLine, Term, derived
from author.derive.words import words_of
from exercises.derivations import Derivation
from exercises.exercise import Exercise
from exercises.instance import Instance
from exercises.tape import is_constant

KEPT: Final = 128  # keys of exercises that are remembered


@dataclass(frozen=True)
class Key:
    """The backward lines of an exercise, and the shape of each tensor of its forward state."""

    lines: tuple[BackwardLine, ...]
    shapes: Mapping[str, tuple[int, ...]]


def samples_of(exercise: Exercise) -> dict[str, Any]:
    """Return what an exercise's canonical forward pass starts from, to derive on: a parameter requires a gradient."""
    given = exercise.given(Instance.canonical(exercise).tensors())
    return {
        name: value.item() if is_constant(value) else value.requires_grad_(_has_gradient(exercise, name, value))
        for name, value in ((name, value.detach().clone()) for name, value in given.items())
    }


def _has_gradient(exercise: Exercise, name: str, value: Tensor) -> bool:
    return value.is_floating_point() and name not in exercise.data


@dataclass(frozen=True)
class _Source:
    """An exercise as the key of what was derived from it: all that decides the lines."""

    slug: str
    revision: int
    forward: str
    wanted: tuple[str, ...]
    exercise: Exercise = field(compare=False)


@lru_cache(KEPT)
def _key_of(source: _Source) -> Key:
    state = Instance.canonical(source.exercise).tensors()
    return Key(key_lines(source.exercise), {name: tuple(value.shape) for name, value in state.items()})


def key_lines(exercise: Exercise) -> tuple[BackwardLine, ...]:
    """Return the backward lines that give the gradient of every checkpoint, and those in between, derived anew.

    :raises Refused: an operation has no rule
    """
    return derived(exercise.forward, samples_of(exercise), [each.name for each in exercise.checkpoints])


def key_of(exercise: Exercise) -> Key:
    """Return the key of an exercise, derived once.

    :raises Refused: an operation has no rule
    """
    wanted = tuple(each.name for each in exercise.checkpoints)
    return _key_of(_Source(exercise.slug, exercise.revision, exercise.forward.text, wanted, exercise))


def answer_key(exercise: Exercise) -> str:
    """Return a right answer: statements that set all that an exercise asks for, under the lines that they go back.

    :raises Refused: an operation has no rule
    """
    parts: list[str] = []
    above: tuple[str, ...] = ()
    for line in key_of(exercise).lines:
        consumers = tuple(dict.fromkeys(term.consumer for term in line.terms))
        if consumers != above:
            parts += ["", *(f"# {text}" for name in consumers for text in exercise.lines[name].splitlines())]
            above = consumers
        parts.append(line.code)
    return "\n".join(parts).lstrip("\n") + "\n"


def derivations_of(exercise: Exercise) -> dict[str, Derivation]:
    """Return the derivation of each checkpoint, written from the derived lines.

    The code of a checkpoint holds the lines of unnamed or unasked steps before it.

    :raises Refused: an operation has no rule
    """
    key = key_of(exercise)
    asked = {each.name for each in exercise.checkpoints}
    found: dict[str, Derivation] = {}
    before: list[str] = []
    for line in key.lines:
        statements = line.code.splitlines()
        if line.name not in asked:
            before += statements
            continue
        found[line.name] = Derivation(
            _upstream(exercise, key, line), _local(line), _result(key, line, [*before, *statements])
        )
        before = []
    return {each.name: found[each.name] for each in exercise.checkpoints if each.name in found}


def derivation_of(exercise: Exercise, checkpoint: str) -> Derivation | None:
    """Return the derivation of a checkpoint: the author's if there is one, else the derived one.

    :raises Refused: an operation has no rule
    """
    return exercise.derivations.get(checkpoint) or derivations_of(exercise).get(checkpoint)


def _consumers(line: BackwardLine) -> list[str]:
    return list(dict.fromkeys(term.consumer for term in line.terms))


def _upstream(exercise: Exercise, key: Key, line: BackwardLine) -> str:
    """Return what flows in."""
    consumers = _consumers(line)
    if not consumers:
        return f"Nothing reads {line.name} on the way to the loss, so nothing flows in."
    flows = [_flow(exercise, key, name) for name in consumers]
    if len(flows) == 1:
        return flows[0]
    count = {2: "twice", 3: "three times"}.get(len(flows), f"{len(flows)} times")
    return f"{line.name} is used {count}. " + " ".join(flows)


def _flow(exercise: Exercise, key: Key, consumer: str) -> str:
    text = " ".join(exercise.lines[consumer].split())
    loss = exercise.forward.lines[-1].name
    if consumer == loss:
        return f"The loss is a single number with gradient 1: that flows in from `{text}`."
    shape = list(key.shapes[consumer])
    return f"`d{consumer}`, {shape}, flows in from `{text}`."


def _local(line: BackwardLine) -> str:
    """Return what the lines of the forward pass do, one sentence for each kind of use."""
    sentences = [each for term in line.terms for each in words_of(term.path, line.name, term.code)]
    return " ".join(dict.fromkeys(sentences)) or "The slope is 0 everywhere."


def _result(key: Key, line: BackwardLine, statements: Sequence[str]) -> str:
    """Return the code with the shape, and what is summed."""
    shape = list(key.shapes[line.name])
    return f"`{'; '.join(statements)}`: {shape}. {_summed(line.terms)}"


def _summed(terms: Sequence[Term]) -> str:
    count = len(terms)
    parts = []
    if any(".sum(" in term.code for term in terms):
        parts.append("The contributions of all copies are summed.")
    if any("@" in term.code or "einsum" in term.code for term in terms):
        parts.append("The product sums over what both factors share.")
    if count > 1:
        parts.append(f"The {count} terms are added.")
    return " ".join(parts) or "Nothing is summed."
