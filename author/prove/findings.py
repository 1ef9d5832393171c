"""What a check finds: nothing, or faults with what to do about each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from author.wording import listed


class Fault(StrEnum):
    """What can be wrong with an exercise."""

    DOES_NOT_PLAY = "does_not_play"
    OUT_OF_RANGE = "out_of_range"
    NOT_FINITE = "not_finite"
    SEED_IS_NOT_KEPT = "seed_is_not_kept"
    SEED_CHANGES_NOTHING = "seed_changes_nothing"
    CONSTANT_DIFFERS = "constant_differs"
    SHAPE_DIFFERS = "shape_differs"
    NO_KEY = "no_key"
    KEY_WRONG = "key_wrong"
    SOLUTION_WRONG = "solution_wrong"
    SOLUTION_STOPS = "solution_stops"
    GRADIENT_DIFFERS = "gradient_differs"
    TIES = "ties"
    UNSEEN = "unseen"
    VANISHING = "vanishing"
    NOT_VANISHING = "not_vanishing"
    NO_SUCH_PART = "no_such_part"
    DEAD = "dead"
    NO_GRADIENT = "no_gradient"
    NOT_CAUGHT = "not_caught"
    NOT_NAMED = "not_named"
    NO_MISTAKES = "no_mistakes"
    GIVES_AWAY = "gives_away"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    DIAGNOSIS_TOO_SLOW = "diagnosis_too_slow"


MESSAGES: Final[Mapping[Fault, str]] = {
    Fault.DOES_NOT_PLAY: "The lines do not play: {reason}. Mend the line, or what is given for it.",
    Fault.OUT_OF_RANGE: "An index is out of range: {reason}. Give labels below the number of classes.",
    Fault.NOT_FINITE: "{at} is not finite on seed {seed}. Keep its argument away from zero and overflow.",
    Fault.SEED_IS_NOT_KEPT: "Seed {seed} gives other bytes at a second draw. Draw all numbers from the seed.",
    Fault.SEED_CHANGES_NOTHING: "All seeds give the same numbers. Draw at least one tensor from the seed.",
    Fault.CONSTANT_DIFFERS: "The constant {at} is another one on seed {seed}. Write a number, and draw tensors.",
    Fault.SHAPE_DIFFERS: "{at} has another shape or type on seed {seed}. Give it a fixed size.",
    Fault.NO_KEY: "There is no key for {at}: {reason}. Write a solution.py, or the line another way.",
    Fault.KEY_WRONG: "The derived key is wrong at {at} on seed {seed}. Report the line, and write a solution.py.",
    Fault.SOLUTION_WRONG: "solution.py is wrong at {at} on seed {seed}. Derive the line again.",
    Fault.SOLUTION_STOPS: "solution.py stops: {reason}. Mend it.",
    Fault.GRADIENT_DIFFERS: "The gradient at {at} is not the slope of the loss there. Report the line that reads it.",
    Fault.TIES: "The loss has a kink at {at} on seed {seed}: two values are equal. Draw values that differ.",
    Fault.UNSEEN: "The loss does not see {at}. Use it in the loss, or leave out the checkpoint.",
    Fault.VANISHING: "The gradient of {at} is zero in mathematics. Leave it out, or declare it as vanishing.",
    Fault.NOT_VANISHING: "{at} is declared as vanishing and is not. Take it off the list.",
    Fault.NO_SUCH_PART: "{at} is declared as vanishing, and there is no such part. Write a checkpoint, or name[2:4].",
    Fault.DEAD: "The gradient of {at} is zero on seed {seed}, so zeros pass. Draw more, or values that get through.",
    Fault.NO_GRADIENT: "No seed of {seeds} gives {at} a gradient, so zeros pass. Use it, or declare it as vanishing.",
    Fault.NOT_CAUGHT: "A mistake is not found at its step: {at}. Split the line, or report the mistake.",
    Fault.NOT_NAMED: "{named} of {tried} mistakes are named, the first without is {at}. Split that line.",
    Fault.NO_MISTAKES: "No mistake could be made in the key. Ask for more than what is handed on unchanged.",
    Fault.GIVES_AWAY: "The {text} holds the answer d{at}: {code}. Say what to look at, not what to write.",
    Fault.TOO_LARGE: "{at} takes {size}, and {most} fit. Give it smaller sizes.",
    Fault.TOO_SLOW: "The step {at} takes {size}, and {most} are allowed. Give it smaller sizes.",
    Fault.DIAGNOSIS_TOO_SLOW: "A mistake takes {size} ms to explain, and {most} are allowed. Use smaller sizes.",
}


# One sentence names all places of these.
_AT_SEVERAL: Final = frozenset(
    {Fault.UNSEEN, Fault.VANISHING, Fault.DEAD, Fault.NO_GRADIENT, Fault.KEY_WRONG, Fault.SOLUTION_WRONG}
)
_PLACES_MAX: Final = 8  # of a sentence; a proof that fails at each of sixty steps needs no list of them


@dataclass(frozen=True)
class FaultAt:
    """A fault, where it is, and what its message names."""

    fault: Fault
    at: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence for the author."""
        return MESSAGES[self.fault].format(at=self.at, **self.values)


@dataclass(frozen=True)
class Finding:
    """What one check found. ``figures`` are what it counted, ``notes`` sentences on what it left out, and why."""

    check: str
    faults: tuple[FaultAt, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether it found no fault."""
        return not self.faults

    @property
    def messages(self) -> list[str]:
        """The sentences for the author; faults that differ in their place alone share one."""
        places: dict[tuple[Any, ...], list[FaultAt]] = {}
        for each in self.faults:
            place = "" if each.fault in _AT_SEVERAL else each.at
            places.setdefault((each.fault, place, *sorted(each.values.items())), []).append(each)
        return [
            replace(first, at=listed([first.at, *(each.at for each in rest)], _PLACES_MAX)).message
            for first, *rest in places.values()
        ]


def finding(check: str, faults: Iterable[FaultAt], **figures: float) -> Finding:
    """Return what a check found; of each fault at a place, the first."""
    first: dict[tuple[Fault, str], FaultAt] = {}
    for each in faults:
        first.setdefault((each.fault, each.at), each)
    return Finding(check, tuple(first.values()), figures)
