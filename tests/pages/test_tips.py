"""What an exercise's author says of a step before it has passed."""

from __future__ import annotations

from exercises.registry import find
from server.pages.study.verdicts import Looking, checkpoints_of, verdicts


def test_an_authors_hint_stands_in_the_panel_of_its_step() -> None:
    exercise = find("basics/lstm")

    steps = {step.name: step for step in verdicts(exercise, checkpoints_of(exercise), None, Looking()).steps}

    tips = {name: step.tip for name, step in steps.items() if step.tip is not None}
    assert set(tips) == set(exercise.hints) == {"c_next", "gates", "h"}
    assert "<code>h</code>" in tips["h"]
