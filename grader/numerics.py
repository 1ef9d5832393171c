"""The pinned numeric environment.

*Exact* means equal to the last bit, and the last bit depends on which kernels ran: with AVX2 tanh's backward
uses a fused multiply-add, and only 11 of the lecture's 26 gradients stay exact. So every process that
computes a gradient to be graded runs torch's plain kernels on one thread, and every grade records that it
did. torch reads these variables once, when it is imported: they have to be set before.
"""

from __future__ import annotations

import os
import platform
import sys
from functools import cache

PINNED = {
    "ATEN_CPU_CAPABILITY": "default",  # no AVX2, no AVX-512: the kernels without fused multiply-add
    "MKL_CBWR": "COMPATIBLE",  # matrix products that give the same bits on every x86-64 processor
    "OMP_NUM_THREADS": "1",  # one order of summation, and no thread that a fork would lose
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


# Raised by whoever changes what a grade says: a verdict, an origin, a diagnosis. It is part of the environment, so that
# older submissions can be graded again, and the same environment means the same rows.
GRADER = 2


class UnpinnedNumerics(RuntimeError):
    """torch was imported in another numeric environment: what it computes here cannot be graded."""


def pin() -> None:
    """Set the numeric environment of this process; call it before anything imports torch.

    :raises UnpinnedNumerics: torch is already there, and was imported without it
    """
    off = [name for name, value in PINNED.items() if os.environ.get(name) != value]
    if off and "torch" in sys.modules:
        raise UnpinnedNumerics(
            f"torch was imported before {', '.join(off)} was set. Call grader.numerics.pin() first thing in "
            "the program, before any import of torch."
        )
    os.environ.update(PINNED)


@cache
def environment() -> str:
    """The numeric environment of this process in one line, as it is recorded with each grade.

    :raises UnpinnedNumerics: it is not the pinned one
    """
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    if capability != "DEFAULT" or os.environ.get("MKL_CBWR") != "COMPATIBLE":
        raise UnpinnedNumerics(
            f"torch runs its {capability} kernels, and grading needs DEFAULT: set "
            + " ".join(f"{name}={value}" for name, value in PINNED.items())
            + " in the environment and start again."
        )
    return f"torch {torch.__version__} {platform.machine()} kernels=default mkl=compatible threads=1 grader={GRADER}"
