"""Notebooks for tests. Needs neither torch nor a server."""

from __future__ import annotations

from typing import Any


def notebook(*cells: str) -> dict[str, Any]:
    """Return a notebook of code cells. A text that begins with ``md:`` is a markdown cell."""
    kinds = [("markdown", cell[3:]) if cell.startswith("md:") else ("code", cell) for cell in cells]
    return {"cells": [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in kinds]}
