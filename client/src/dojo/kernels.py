"""torch's kernels: those of the server, where they can still be chosen.

*Exact* compares last bits, and those depend on the kernels. torch reads the variables once, when it is imported.
``grader/numerics.py`` has the same two; ``tests/client/test_both_sides.py`` compares them.
"""

from __future__ import annotations

import os
import sys

SERVERS_KERNELS = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}


def choose_the_servers() -> None:
    """Choose the server's kernels if torch is not imported yet. What the student has set stays."""
    if "torch" not in sys.modules:
        for name, value in SERVERS_KERNELS.items():
            os.environ.setdefault(name, value)


def are_the_servers() -> bool:
    """Return whether torch runs the server's kernels in this process.

    :raises ImportError: torch is not installed
    """
    import torch

    is_plain = torch.backends.cpu.get_cpu_capability() == "DEFAULT"
    return is_plain and os.environ.get("MKL_CBWR") == SERVERS_KERNELS["MKL_CBWR"]
