"""What a student reads when their code did not run to its end, or left something that is no answer.

One sentence for each code. ``explain.py`` decides which code it is.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class Hint(Enum):
    """What was wrong, beside what the traceback tells."""

    FILES = auto()
    NETWORK = auto()
    PROCESSES = auto()
    SIGNALS = auto()
    SHARED_MEMORY = auto()
    CALLBACKS = auto()
    OPERATING_SYSTEM = auto()
    RECURSION = auto()
    MODULE = auto()
    NO_GRAD = auto()
    NO_GRAPH = auto()
    NO_GPU = auto()
    NOTEBOOK_FILE = auto()
    EXIT = auto()
    INPUT = auto()
    ONE_HOT = auto()


HINTS: Final = {
    Hint.FILES: "opening files is not possible here; everything you need is already in your namespace.",
    Hint.NETWORK: "there is no network here; everything you need is already in your namespace.",
    Hint.PROCESSES: "starting processes or threads is not possible here; one process is enough for a gradient.",
    Hint.SIGNALS: "sending signals is not possible here; remove that call.",
    Hint.SHARED_MEMORY: "memory that processes share is not available here; use plain tensors.",
    Hint.CALLBACKS: "C code cannot call Python back here; call the function itself, without ctypes.",
    Hint.OPERATING_SYSTEM: "that is not possible here; a gradient needs nothing from the operating system.",
    Hint.RECURSION: "A function calls itself without end; add a condition that stops it.",
    Hint.MODULE: (
        "{module} cannot be imported here; torch, numpy and Python's own math modules can. Remove the lines that "
        "use it."
    ),
    Hint.NO_GRAD: "There is no .grad here; hand your gradient to cmp, or assign it to d + name.",
    Hint.NO_GRAPH: "The tensors here have no graph; derive the gradient and hand it to cmp, or assign it to d + name.",
    Hint.NO_GPU: "There is no GPU here; leave the tensors where they are.",
    Hint.NOTEBOOK_FILE: "If this is a notebook's file, hand in its code: as .py, or by `dojo submit`.",
    Hint.EXIT: "The code left before its end; remove the call that leaves.",
    Hint.ONE_HOT: "F.one_hot without num_classes is only as wide as its largest number; write num_classes=vocab_size.",
    Hint.INPUT: "There is nobody here to answer input(); write the value into the code.",
}

# Sentences that stand alone, without a traceback.
TOO_DEEP: Final = "{filename} is nested too deeply to be compiled; write it in plainer steps."
UNREADABLE: Final = "{filename} cannot be read as Python: {reason}. Save it as UTF-8 text."
TOO_MUCH_OUTPUT: Final = "More than {kib} KiB was printed, and the run was stopped; print less."
UNSHOWABLE: Final = "{exception} was raised, and showing it raised another exception."
BACKWARD_RETURNED: Final = "backward(state) returned {type}; return a dict of name → gradient"
LARGER_THAN_ITS_SLOT: Final = "shape {shape} is larger than any gradient here; look at its shape"
