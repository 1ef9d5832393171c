"""The pinned numeric environment.

*Exact* means equal to the last bit, and the last bit depends on the kernels: with AVX2 the backward pass of tanh uses a
fused multiply-add, and only 11 of the lecture's 26 gradients stay exact. So every process that computes a gradient for
grading runs torch's plain kernels on one thread, and every grade records it. torch reads these variables once, when it
is imported: set them before.
"""

from __future__ import annotations

import os
import platform
import sys
from functools import cache

PINNED = {
    "ATEN_CPU_CAPABILITY": "default",  # no AVX2, no AVX-512: the kernels without fused multiply-add
    "MKL_CBWR": "COMPATIBLE",  # matrix products that give the same bits on every x86-64 processor
    "OMP_NUM_THREADS": "1",  # one order of summation, and no threads that a fork loses
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

# The version of the grader's results. Raise it with every change of a verdict, an origin or a diagnosis. It is part of
# the environment: grades of the same environment are the same, and grades of another can be made again.
GRADER = 4


class UnpinnedNumerics(RuntimeError):
    """torch was imported in another numeric environment, so nothing can be graded here."""


def pin() -> None:
    """Set the numeric environment of this process. Call it before any import of torch.

    :raises UnpinnedNumerics: torch is imported already, without this environment
    """
    wrong = [name for name, value in PINNED.items() if os.environ.get(name) != value]
    if wrong and "torch" in sys.modules:
        raise UnpinnedNumerics(
            f"torch was imported before {', '.join(wrong)} was set. Call grader.numerics.pin() first thing in "
            "the program, before any import of torch."
        )
    os.environ.update(PINNED)


@cache
def environment() -> str:
    """Return the numeric environment of this process in one line, as each grade records it.

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
