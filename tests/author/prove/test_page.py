"""docs/exercises.md is of the exercises that are here. CI proves them again and compares the counts."""

from __future__ import annotations

from pathlib import Path

from author.prove import table
from author.prove.proof import content_of
from exercises.registry import folders, load

ROOT = Path(__file__).parents[3]


def test_the_page_has_every_exercise_as_it_is_now() -> None:
    rows = table.read_page((ROOT / "docs/exercises.md").read_text(encoding="utf-8"))
    packs = load([], folders(str(ROOT / "exercises")))
    now = {each.slug: each for pack in packs.values() for each in pack.exercises}
    assert rows.keys() == now.keys(), "Make it again: make exercises"
    assert {slug: cells[0] for slug, cells in rows.items()} == {
        slug: str(len(each.checkpoints)) for slug, each in now.items()
    }
    changed = [slug for slug, cells in rows.items() if not content_of(now[slug]).startswith(cells[-1])]
    assert changed == [], "Make it again: make exercises"
