"""docs/packs.md lists the exercises of the packs in their order, with the number of their steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import exercises
from exercises import folder

ROOT = Path(exercises.__file__).parent
TEXT = (ROOT.parent / "docs" / "packs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["basics", "puzzles", "classics", "transformer"])
def test_the_page_lists_a_pack(name: str) -> None:
    pack = folder.load_pack(ROOT / name)

    rows = re.findall(rf"^\| `({name}/[\w-]+)` \| (\d+) \| \S.+ \|$", TEXT, re.MULTILINE)

    assert rows == [(each.slug, str(len(each.checkpoints))) for each in pack.exercises]
    assert f"| `{name}` | {len(rows)} |" in TEXT
