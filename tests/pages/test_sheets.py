"""The panels of steps, as they are kept."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from exercises.registry import find
from server.pages.marks import Mark
from server.pages.study.derivation import shown_derivation
from server.pages.study.sheets import KEPT_BYTES_MAX, bytes_of, sheet_of
from server.pages.study.verdicts import ErrorShown, StepShown

STEP = StepShown(
    name="h",
    number=1,
    mark=Mark.MISSING,
    shape="1",
    line=None,
    used_by=(),
    lecture=None,
    row=None,
    says=Markup(),
    hints=(),
    open_hints=1,
    carried=None,
    notes=(),
    heat=None,
    attempts=0,
)


def stopped(number: int) -> Markup:
    """Return the panel of a step before which code stopped, with an error that somebody made long."""
    return sheet_of(STEP, 26, ErrorShown("Error", f"{number} \U0001f600" + "<" * 8_000, None, 0), "")


def test_panels_with_long_errors_are_kept_up_to_a_bound() -> None:
    first = stopped(0)

    assert stopped(0) is first
    for number in range(1, KEPT_BYTES_MAX // bytes_of(first) + 2):
        stopped(number)
    assert stopped(0) is not first


def test_a_passed_step_is_derived_line_by_line() -> None:
    shown = shown_derivation(find("makemore/full-backward"), "bngain")

    panel = sheet_of(replace(STEP, mark=Mark.EXACT, derivation=shown), 26, None, "")

    assert panel.count("<details") == 4
    assert "Derive dh line by line" in panel
    assert "<math" in panel and 'alttext="dbngain = (dhpreact * bnraw).sum(0, keepdim=True)"' in panel
    assert "<details" not in sheet_of(STEP, 26, None, "")
