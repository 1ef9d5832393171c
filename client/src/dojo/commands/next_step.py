"""What to go on with, in the sentence that a command ends with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dojo.api.responses import Exercise
from dojo.show.due import opening_text

TRAINING = "makemore/train"  # whose answer trains the network
NOTHING = "There is nothing else to hand in now."


def next_exercise(exercises: Sequence[Exercise], done: str | None = None) -> Exercise | None:
    """Return the exercise to go on with, or None: one that is not done, and takes answers now.

    It is below the one that was just ``done`` in the course's list, or else above it. One that was handed in, and whose
    feedback shows later, comes last.
    """
    slugs = [exercise.slug for exercise in exercises]
    place = slugs.index(done) if done in slugs else 0
    in_turn = (*exercises[place:], *exercises[:place])
    undone = [each for each in in_turn if not each.is_done and each.takes_answers and each.slug != done]
    return min(undone, key=lambda each: each.is_kept, default=None)


def next_steps(
    exercises: Sequence[Exercise], done: str | None = None, file: str = "FILE", now: datetime | None = None
) -> list[str]:
    """Return what to do next, a sentence a line: what was done is of use, what to pull, or why there is nothing.

    :param done: the exercise that was just done; otherwise training is offered once all others are
    :param file: the answer that it was done with
    """
    following = next_exercise(exercises, done)
    lines = []
    if done == TRAINING:
        lines.append(f"Train the network with it: dojo train {file}")
    if following is not None:
        then = ", and once it passes: dojo train FILE" if following.slug == TRAINING else ""
        return [*lines, f"Next: dojo pull {following.slug}{then}"]
    if not lines and any(each.slug == TRAINING and each.is_done for each in exercises):
        lines.append("Train the network with your backward pass: dojo train FILE")
    openings = [each for each in exercises if each.answers == "later" and each.opens]
    if openings:
        first = min(openings, key=lambda each: each.opens or "")
        lines.append(f"{NOTHING} {first.slug} {opening_text(first, now)}.")
    elif all(each.is_done or each.slug == done for each in exercises):
        lines += [] if lines or not exercises else ["Every exercise of this course is done."]
    elif not lines:
        lines.append(f"{NOTHING} See what you handed in: dojo history")
    return lines
