"""docs/diagnosis.md lists every kind of mistake and every form of it, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from grader.diagnosis.messages import MESSAGES
from grader.diagnosis.repair import VERIFIED_OTHERWISE

TEXT = (Path(__file__).parents[3] / "docs" / "diagnosis.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \| .+ \| (.*?) ?\|$", TEXT, re.MULTILINE)
FORMS = [(code, form, way) for code, forms, way in ROWS for form in re.findall(r"\w+", forms)]


def test_the_manual_lists_every_form_once() -> None:
    forms = [(code.value, form) for code, kind in MESSAGES.items() for form in kind.forms]

    assert sorted((code, form) for code, form, _ in FORMS) == sorted(forms)


def test_the_manual_says_how_each_form_is_verified() -> None:
    facts = {(code.value, form) for code, form in VERIFIED_OTHERWISE} - {("unknown", "later")}

    assert {(code, form) for code, form, way in FORMS if way.startswith("fact")} == facts
    others = {(code, form) for code, form, way in FORMS if not way.startswith("fact")}
    assert {(code, form) for code, form, way in FORMS if way.startswith("repair: ")} == others - {("unknown", "later")}
