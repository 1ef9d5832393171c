"""Writing the drills as a pack: a folder of data, as ``exercises.folder`` reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from author.drills.making import Drill, drills
from exercises.folder import PACK_FILE
from grader.diagnosis.codes import Code

TITLES: Final[dict[Code, str]] = {
    Code.MISSING_TERM: "Every use adds a term",
    Code.DOUBLE_COUNTED: "Each use counts once",
    Code.TERM_SIGN: "The sign of a term",
    Code.TERM_SCALE: "The factor of a term",
    Code.SIGN: "Count the minus signs",
    Code.SCALE: "Find the factor",
    Code.TRANSPOSED: "Which way to turn a matrix",
    Code.NOT_REDUCED: "Sum what was stretched",
    Code.WRONG_AXIS: "Along which axis",
    Code.MISSING_UPSTREAM: "Multiply with what flows in",
    Code.MISSING_LOCAL: "Multiply with the slope",
    Code.OVERWRITTEN: "What occurs twice adds up",
    Code.SWAPPED: "Which factor stays",
    Code.ALIASED: "Two names for one tensor",
}
RULES: Final[dict[Code, str]] = {
    Code.MISSING_TERM: "A tensor that is used twice collects a term from each use.",
    Code.DOUBLE_COUNTED: "A tensor that is used twice collects one term from each use, and no more.",
    Code.TERM_SIGN: "The terms of several uses are added, each with its own sign.",
    Code.TERM_SCALE: "The terms of several uses are added, each with its own factor.",
    Code.SIGN: "A minus in the line, or in its derivative, is a minus in the gradient.",
    Code.SCALE: "A factor in the line, or in its derivative, is a factor in the gradient.",
    Code.TRANSPOSED: "Write the shapes under a product. A square matrix hides which way it belongs.",
    Code.NOT_REDUCED: "What was stretched in the forward pass is summed in the backward pass.",
    Code.WRONG_AXIS: "Ask along which axis a line stretches or sums. Here the shapes do not tell.",
    Code.MISSING_UPSTREAM: "A gradient is the slope of the line, times what flows in from above.",
    Code.MISSING_LOCAL: "A gradient is what flows in from above, times the slope of the line.",
    Code.OVERWRITTEN: "A row that is read several times collects a gradient from each place.",
    Code.SWAPPED: "In the gradient of a product each factor goes with the other one.",
    Code.ALIASED: "An assignment makes no copy. A change in place changes both names.",
}
LICENCE: Final = "MIT"
SOLUTION_HEAD: Final = '''"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors
'''
SUMMARY: Final = "Three lines each, with one trap: to practise what went wrong twice."


def write(folder: Path, seed: int = 0) -> int:
    """Write the pack of a seed into a folder, over what is there; return the number of its drills."""
    made = list(drills(seed))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PACK_FILE).write_text(_pack([drill.name for drill in made]), encoding="utf-8")
    for drill in made:
        inside = folder / drill.name
        inside.mkdir(exist_ok=True)
        for name, text in files_of(drill).items():
            (inside / name).write_text(text, encoding="utf-8")
    return len(made)


def files_of(drill: Drill) -> dict[str, str]:
    """Return the files of a drill's folder, by name."""
    return {
        "forward.py": f"{drill.template.lines}\n",
        "given.py": f"{drill.template.given}\n",
        "statement.md": _statement(drill),
        "exercise.toml": _settings(drill),
        "solution.py": f"{SOLUTION_HEAD}\n{drill.right}\n",
    }


def _settings(drill: Drill) -> str:
    checkpoints = ", ".join(json.dumps(name) for name in drill.template.asked)
    return (
        f"title = {json.dumps(f'{TITLES[drill.kind]} ({drill.number})')}\n"
        f"summary = {json.dumps(RULES[drill.kind])}\n"
        'revision = 1\ndifficulty = "drill"\n'
        f"checkpoints = [{checkpoints}]\n"
    )


def _statement(drill: Drill) -> str:
    answers = [f"`d{name}`" for name in drill.template.asked]
    return (
        f"# {TITLES[drill.kind]}\n\n{RULES[drill.kind]}\n\n"
        f"Derive {', '.join(answers[:-1])} and {answers[-1]}, from the loss back. `g` is given.\n"
    )


def _pack(names: list[str]) -> str:
    listed = "".join(f'    "{name}",\n' for name in names)
    return (
        f'title = "Drills"\nsummary = "{SUMMARY}"\nlicence = "{LICENCE}"\n'
        f"# Written by: python -m author drills exercises/drills\nexercises = [\n{listed}]\n"
    )
