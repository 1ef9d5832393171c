"""torch's kernels: those of the server, where they can still be chosen.

*Exact* compares last bits, and those depend on the kernels. torch reads the variables once, when it is imported.
``grader/numerics.py`` has the same two; ``tests/client/test_both_sides.py`` compares them.
"""

from __future__ import annotations

import os
import platform
import sys

SERVERS_KERNELS = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}

CHOSEN_TOO_LATE = (
    "your torch runs others. For the same bits, restart the kernel and call dojo.pull before anything imports torch."
)


def choose_the_servers() -> None:
    """Choose the server's kernels if torch is not imported yet. What the student has set stays."""
    if "torch" not in sys.modules:
        for name, value in SERVERS_KERNELS.items():
            os.environ.setdefault(name, value)


def difference(environment: str) -> str | None:
    """Return what makes other last bits here than on the server, or None.

    ``environment`` is the server's, as a grade names it: ``torch 2.13.0 x86_64 kernels=default …``. Where it cannot be
    read, only the kernels are compared.

    :raises ImportError: torch is not installed
    """
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    if capability != "DEFAULT" or os.environ.get("MKL_CBWR") != SERVERS_KERNELS["MKL_CBWR"]:
        return CHOSEN_TOO_LATE
    words = environment.split()
    if len(words) < 3 or words[0] != "torch":
        return None
    for ours, theirs, name in ((torch.__version__, words[1], "torch"), (platform.machine(), words[2], "processor")):
        if ours.partition("+")[0].lower() != theirs.partition("+")[0].lower():
            return f"your {name} is {ours}, and the server's is {theirs}."
    return None
