"""The machine that the figures were taken on, without its name."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from grader import numerics


def machine() -> dict[str, str | int | None]:
    """Return the entry of ``bench/results.json`` and ``bench/load.json``."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "environment": numerics.environment(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
