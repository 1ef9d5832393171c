"""Draws docs/table.svg, the picture in the README: what a terminal shows for an answer with one mistake.

python docs/table.py > docs/table.svg
"""

from __future__ import annotations

import io
import sys

from grader import numerics

numerics.pin()  # before torch comes in

from rich.console import Console  # noqa: E402

from dojo.api.responses import Checkpoint, read_submission  # noqa: E402
from dojo.show.grades import show_whole  # noqa: E402
from dojo.show.screen import Screen  # noqa: E402
from exercises.instance import Instance  # noqa: E402
from exercises.registry import find  # noqa: E402
from grader.grade import grade_code  # noqa: E402
from grader.sandbox import Sandbox  # noqa: E402

EXERCISE = find("makemore/full-backward")
FORGOTTEN = " + dcounts_sum  # counts is used twice: by the quotient and by its sum"


def picture() -> str:
    """Grade the solution without one of its terms, and return the screen as SVG."""
    assert FORGOTTEN in EXERCISE.solution
    with Sandbox() as sandbox:
        grade = grade_code(
            Instance.canonical(EXERCISE), EXERCISE.solution.replace(FORGOTTEN, ""), "solution.py", sandbox
        )
    console = Console(
        record=True,
        file=io.StringIO(),
        width=116,
        force_terminal=True,
        markup=False,
        highlight=False,
        emoji=False,
    )
    answer = {
        "id": 7,
        "exercise": EXERCISE.slug,
        "course": "backprop",
        "attempt": 3,
        "kind": "code",
        "status": "graded",
        "filename": "solution.py",
        "place": None,
        "created_at": "2026-01-01T00:00:00Z",
        "grade": grade.as_json() | {"graded_at": "2026-01-01T00:00:00Z"},
    }
    checkpoints = [
        Checkpoint(each.name, lecture_start=each.start, lecture_url=f"{EXERCISE.lecture}&t={each.start}s")
        for each in EXERCISE.checkpoints
    ]
    submission = read_submission(answer)
    assert submission.grade is not None
    show_whole(Screen(console), submission, submission.grade, checkpoints)
    return console.export_svg(title="dojo submit solution.py --all")


if __name__ == "__main__":
    sys.stdout.write(picture())
