"""What students read about their training runs. Each ends with what to do next."""

from __future__ import annotations

from typing import Final

STOPPED: Final = (
    "Your backward pass stopped after step {step}:\n{message}\n"
    "Correct it, hand it in to the exercise to see that it works, and start again."
)
NOTHING_LEFT: Final = (
    "Your code left before the steps after step {step} were taken. Remove the call that leaves, and start again."
)
TOO_SLOW: Final = (
    "Up to step {step}, a step took {own} with your backward pass. That is {times} times as long as with the "
    "lecture's, and {most} times is the limit. Compute with whole tensors instead of single elements in "
    "loops, and start again."
)
NOT_FINITE: Final = (
    "After step {step} some parameters are no numbers any more: the steps became too large. "
    "Look for a wrong sign in your backward pass, or choose a smaller learning rate, and start again."
)
WRONG: Final = (
    "Your parameters after step {step} differ from those of the right gradients. The run goes on, and is not ranked. "
    "Hand your code in to the exercise to see which gradient is wrong."
)
FORGED: Final = (
    "Your parameters after step {step} are not what your backward gives. If it keeps something from step to step, or "
    "draws random numbers, leave that out, and start again."
)
UNCHECKED: Final = (
    "The steps up to step {step} could not be checked in {tries} tries: one by one, your backward takes too long. "
    "Leave out what depends on the number of the step or on the clock, make it faster, and start again."
)
LOST: Final = (
    "The server lost this run {tries} times in a row, and your code is not to blame. Start it again; if that does not "
    "help, tell your instructor."
)
OTHER_DATA: Final = (
    "The names that this server trains with were changed since this run began. Your code is not to blame; start again."
)
