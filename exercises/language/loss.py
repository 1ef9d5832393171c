"""The loss of a forward pass: the single number that all gradients are of."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from torch import Tensor

from exercises.language.errors import Refused
from exercises.language.expression import Call, Name, evaluated, names_with_gradient, renamed
from exercises.language.expression import names as names_of
from exercises.language.forward import Forward, Line, Note
from exercises.language.spelled import unspelled
from exercises.language.text import shown
from exercises.language.writer import statement

LOSS: Final = "loss"
_CALLED_LOSS: Final = re.compile(r"loss(_\d+)?")
_ADVICE: Final = "Take the sum with a given tensor: loss = (out * g).sum()."


def to_loss(forward: Forward, samples: Mapping[str, Any], comments: Mapping[int, str]) -> Forward:
    """Return a forward pass whose last step is the number ``loss``, without the lines that it does not depend on.

    ``samples`` are what is given. The last step that is called a loss is the loss, else the last step of all.

    :raises Refused: no step computes a single number
    """
    steps = [line for line in forward.lines if not line.frozen]
    if not steps:
        last = forward.lines[-1].number if forward.lines else 1
        raise Refused(last, "no line computes anything from a parameter", "Mark one in given: W = param(4, 16).")
    called = [line for line in steps if _CALLED_LOSS.fullmatch(line.name)]
    loss = (called or steps)[-1]
    value = _value_of(forward, samples, loss.name)
    if value.numel() != 1:
        raise Refused(loss.number, f"the loss {loss.name} is no number: it has {value.numel()} elements", _ADVICE)
    lines, notes = _needed(forward.lines, loss)
    lines = _with_name(lines, loss.name, {*samples, *(each.name for each in forward.drawn)})
    if [line.text for line in lines] == [line.text for line in forward.lines]:
        return forward
    return replace(forward, lines=lines, text=shown(lines, comments), notes=(*forward.notes, *notes))


def _value_of(forward: Forward, samples: Mapping[str, Any], name: str) -> Tensor:
    values = {**samples, **{each.name: each.draw(0) for each in forward.drawn}}
    for line in forward.lines:
        values[line.name] = evaluated(unspelled(line.expression), values.__getitem__)
        if line.name == name:
            break
    value = values[name]
    assert isinstance(value, Tensor)
    return value


def _needed(lines: tuple[Line, ...], loss: Line) -> tuple[tuple[Line, ...], list[Note]]:
    """Return the lines that the loss depends on, and a note for each step that is left out."""
    needed, with_gradient, kept, notes = {loss.name}, {loss.name}, [], []
    for line in reversed(lines):
        if line.name not in needed:
            if not line.frozen:
                notes.append(Note(line.number, f"{line.name} is left out: the loss does not depend on it"))
            continue
        needed.update(names_of(line.expression))
        if line.name in with_gradient and not line.frozen:
            with_gradient.update(names_with_gradient(line.expression))
        elif not line.frozen:
            # The loss reads it behind a wall alone, so it has no gradient that could be asked for.
            walled = Call("detach", (("input", line.expression),))
            line = replace(line, frozen=True, expression=walled, text=statement(line.name, walled))
        kept.append(line)
    return tuple(reversed(kept)), notes[::-1]


def _with_name(lines: tuple[Line, ...], name: str, taken: Collection[str]) -> tuple[Line, ...]:
    """Return the lines with the loss called ``loss``; an earlier step of that name becomes ``loss_1``."""
    if name == LOSS:
        return lines
    other = next(each for each in _numbered(LOSS) if each not in taken and all(line.name != each for line in lines))
    new_names = {LOSS: Name(other), name: Name(LOSS)}
    result = []
    for line in lines:
        changed = new_names.get(line.name, Name(line.name)).name
        expression = renamed(line.expression, new_names)
        is_same = changed == line.name and expression == line.expression
        text = line.text if is_same else statement(changed, expression)
        result.append(replace(line, name=changed, expression=expression, text=text))
    return tuple(result)


def _numbered(name: str) -> list[str]:
    return [f"{name}_{count}" for count in range(1, 10_000)]
