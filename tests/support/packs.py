"""What a course has that pins no pack, and a pack of another folder: one exercise, drawn from the seed alone."""

from __future__ import annotations

from pathlib import Path

from exercises.exercise import Exercise
from exercises.registry import find_pack
from server.courses.pinned_packs import DEFAULT_PACK

FILES = {
    "pack.toml": 'title = "Squares"\nlicence = "MIT"\nexercises = ["a_square"]',
    "a_square/exercise.toml": 'title = "A square"\nrevision = 1',
    "a_square/statement.md": "Derive dx.",
    "a_square/solution.py": "dy = torch.ones(3) / n\ndx = 2 * x * dy",
    "a_square/given.py": "n = 3\nx = param(n)",
    "a_square/forward.py": "y = x * x\nloss = y.sum() / n",
}


def write_pack(folder: Path, **changed: str) -> Path:
    """Write the pack; ``changed`` maps the name of a file without its ending to another text."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(path.stem, text))
    return folder


def default_exercises() -> dict[str, Exercise]:
    """Return slug → exercise of a course that pins no pack."""
    return {each.slug: each for each in find_pack(DEFAULT_PACK).exercises}
