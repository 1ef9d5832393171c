"""What the checks look at: an exercise, its instances by seed, and its key. Each is made once, for all checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from author.derive.key import key_lines
from author.mistakes.key import KeyRun, Line
from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from exercises.tape import variables
from grader.reference.gradients import Reference, reference
from grader.sandbox import Limits

if TYPE_CHECKING:
    from grader.sandbox import Sandbox


@dataclass(frozen=True)
class Effort:
    """How thoroughly to prove.

    ``seeds`` are the instances for the key, ``oracle_seeds`` those for the slopes. ``part_seeds`` are at most drawn
    until each part has had a gradient. ``mistakes_per_line`` is None for all.
    """

    seeds: int = 20
    oracle_seeds: int = 3
    part_seeds: int = 300
    mistakes_per_line: int | None = None


THOROUGH = Effort()
QUICK = Effort(seeds=4, oracle_seeds=1, mistakes_per_line=3)


@dataclass(frozen=True)
class Bounds:
    """What an exercise may take.

    ``work`` are the multiplications and elements of one step, forward and back. ``diagnosis_ms`` is the median.
    ``named_share`` is the least share of mistakes with a right name. Over all exercises it is higher: docs/exercises.md
    has it. A line of several parts, such as that of a softmax, has mistakes that the grader cannot tell apart.
    """

    limits: Limits = field(default_factory=Limits)
    work: int = 200_000_000
    diagnosis_ms: float = 1_000.0
    named_share: float = 0.7


@dataclass(frozen=True)
class Subject:
    """An exercise that is to be proved.

    :param sandbox: where a person's solution runs; None leaves it out
    """

    exercise: Exercise
    effort: Effort = THOROUGH
    bounds: Bounds = field(default_factory=Bounds)
    sandbox: Sandbox | None = None
    progress: Callable[[str], None] = lambda text: None
    _instances: dict[int, Instance] = field(default_factory=dict)
    _runs: dict[int, KeyRun] = field(default_factory=dict)

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The names of the checkpoints."""
        return tuple(checkpoint.name for checkpoint in self.exercise.checkpoints)

    @cached_property
    def lines(self) -> Sequence[Line]:
        """The derived key.

        :raises Refused: an operation has no rule
        """
        return key_lines(self.exercise)

    def instance(self, seed: int) -> Instance:
        """Return an instance by its seed; 0 is the canonical one."""
        if seed not in self._instances:
            self._instances[seed] = self.drawn(seed)
        return self._instances[seed]

    def drawn(self, seed: int) -> Instance:
        """Return an instance that is drawn now."""
        if seed == 0:
            return Instance.canonical(self.exercise)
        return Instance.draw(self.exercise, seed, Kind.STUDENT)

    def reference(self, seed: int) -> Reference:
        """Return the reference of an instance."""
        return reference(self.instance(seed))

    def key(self, seed: int) -> KeyRun:
        """Return the derived key, run on an instance.

        :raises Refused: an operation has no rule
        :raises Exception: whatever the code of a line raises
        """
        if seed not in self._runs:
            self._runs[seed] = KeyRun(self.lines, variables(dict(self.reference(seed).state)))
        return self._runs[seed]
