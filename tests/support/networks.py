"""Small networks of tests: exercises made of lines, in the language of packs."""

from __future__ import annotations

from exercises.exercise import Checkpoint, Exercise
from exercises.folder import GivenNumbers, default_checkpoints
from exercises.language import given, reader


def network(start: str, lines: str, solution: str, checkpoints: str = "") -> Exercise:
    """Return an exercise that asks for every step and parameter, or for these checkpoints.

    ``start`` is the text of a ``given.py``, ``lines`` that of a ``forward.py``.
    """
    found = given.read(start)
    forward = reader.read(lines, found.samples())
    names = checkpoints.split() or default_checkpoints(forward, found.params)
    return Exercise(
        slug="tests/network",
        revision=1,
        title="A network",
        summary="",
        statement="",
        solution=solution,
        checkpoints=tuple(map(Checkpoint, names)),
        forward=forward,
        numbers=GivenNumbers(found),
        data=frozenset(found.data),
    )
