"""The ``cmp`` that student code gets, in place of the lecture's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from grader.answer import LABEL_DIFFERS, OTHER_VARIABLE, SWAPPED, Answer, normalise

_EMPTY: Final[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What ``cmp`` was given for a checkpoint. ``was_variable`` says that it was the variable ``d`` + name itself."""

    answer: Answer
    was_variable: bool


class Recorder:
    """Keep a copy of what ``cmp`` is given, taken at that moment, as the answer for a checkpoint.

    The lecture calls ``cmp(name, gradient, tensor)``. Students' own versions have other orders, or no name. So:

    1. The gradient is the first argument that is neither a string nor a forward tensor, or else the first non-string.
    2. The step is that of the last other forward tensor, as the lecture's ``cmp`` judges its third argument. Without
       one, it is the step that the string names.
    3. A call whose string names another step than its tensor is noted, and replaces no call in which the two agree.
    """

    def __init__(self, checkpoints: Iterable[str]) -> None:
        self._checkpoints = frozenset(checkpoints)
        self.forward_names: dict[int, str] = {}  # by id() of a tensor of the forward state
        self.variables: Mapping[str, Any] = _EMPTY  # the student's globals
        self.answers: dict[str, Recorded] = {}
        self._agreed: set[str] = set()  # checkpoints with a call in which string and tensor agree

    def __call__(self, *arguments: object, **named: object) -> None:
        """Record one call of ``cmp``. A call that names no checkpoint records nothing."""
        values = [*arguments, *named.values()]
        is_swapped = len(arguments) > 2 and type(values[0]) is str and self._is_forward(values[1])
        self._record(values, (SWAPPED,) if is_swapped and not self._is_forward(values[2]) else ())

    def in_any_order(self, *arguments: object, **named: object) -> None:
        """Record one call of a function of the student's own, whose arguments have an order of its own."""
        self._record([*arguments, *named.values()], ())

    def _record(self, values: list[object], notes: tuple[str, ...]) -> None:
        tensors = [value for value in values if type(value) is not str]
        if not tensors:
            return
        own = [value for value in tensors if not self._is_forward(value)]
        # A number may stand where the lecture has the label; a number alone is what is compared.
        gradient = next(
            (value for value in own if type(value) not in (int, float, bool)), own[0] if own else tensors[0]
        )
        labelled = self._labelled(next((value for value in values if type(value) is str), None))
        others = [self.forward_names.get(id(value)) for value in tensors if value is not gradient]
        compared = next((name for name in reversed(others) if name in self._checkpoints), None)
        name = compared or labelled or self._of_forward(gradient)
        if name is None:
            return
        if labelled is not None and labelled != name:
            if name in self._agreed:
                return
            notes = (*notes, LABEL_DIFFERS)
        elif labelled is not None:
            self._agreed.add(name)
        self._keep(name, gradient, notes)

    def _keep(self, name: str, gradient: object, notes: tuple[str, ...]) -> None:
        was_variable = self.variables.get(f"d{name}") is gradient
        if not was_variable and self._is_variable_of_another(gradient):
            notes = (*notes, OTHER_VARIABLE)
        answer = normalise(gradient)
        tensor = None if answer.tensor is None else answer.tensor.clone()
        kept = Answer(tensor, (*answer.notes, *notes), answer.misfit, answer.shape, answer.dtype)
        self.answers[name] = Recorded(kept, was_variable)

    def _is_forward(self, value: object) -> bool:
        return id(value) in self.forward_names

    def _is_variable_of_another(self, gradient: object) -> bool:
        variables = self.variables
        return any(variables.get(f"d{name}") is gradient for name in self._checkpoints)

    def _labelled(self, text: object) -> str | None:
        """Return the checkpoint that a string names, with or without a leading d; None if it names none."""
        if not isinstance(text, str):
            return None
        name = text.strip()
        return next((each for each in (name, name.removeprefix("d")) if each in self._checkpoints), None)

    def _of_forward(self, value: object) -> str | None:
        name = self.forward_names.get(id(value))
        return name if name in self._checkpoints else None
