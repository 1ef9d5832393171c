"""Drills are short, distinct and sound: the trap is caught at its step and named, and the right answer passes."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from author.drills.making import Drill, drills
from author.drills.proving import proved
from author.drills.writing import RULES, TITLES, files_of, write
from exercises import registry
from exercises.folder import load_pack
from grader.diagnosis.codes import Code

SEED = 0
OTHER_SEED = 11
LINES = 3
DISTINCT_MIN = 5


@pytest.mark.parametrize("drill", list(drills(SEED)), ids=lambda drill: drill.name)
def test_the_trap_of_a_drill_is_caught_and_named(drill: Drill) -> None:
    outcome = proved(drill, 1)

    assert outcome.is_sound, outcome


def test_another_seed_gives_other_numbers_and_sound_drills() -> None:
    others = list(drills(OTHER_SEED))

    assert [each.drill.slug for each in (proved(drill, 0) for drill in others) if not each.is_sound] == []
    assert (
        sum(one.template != other.template for one, other in zip(drills(SEED), others, strict=True)) > len(others) / 2
    )


def test_each_kind_has_at_least_five_distinct_drills_of_three_lines() -> None:
    by_kind = defaultdict(set)
    for drill in drills(SEED):
        by_kind[drill.kind].add(drill.template.lines)
        assert len(drill.exercise.forward.lines) == LINES

    assert set(by_kind) == set(Code) - {Code.UNKNOWN} == set(TITLES) == set(RULES)
    assert {kind for kind, lines in by_kind.items() if len(lines) < DISTINCT_MIN} == set()


def test_the_pack_is_what_the_seed_gives() -> None:
    made = list(drills(SEED))

    for drill in made:
        for name, text in files_of(drill).items():
            assert (registry.DRILLS / drill.name / name).read_text(encoding="utf-8") == text
    assert list(registry.drills()) == [drill.slug for drill in made]


def test_a_written_pack_can_be_loaded(tmp_path: Path) -> None:
    count = write(tmp_path / "drills", OTHER_SEED)

    assert len(load_pack(tmp_path / "drills").exercises) == count


def test_drills_are_found_by_slug_and_in_no_list() -> None:
    assert registry.find("drills/sign-1").title == "Count the minus signs (1)"
    assert not any(registry.is_drill(slug) for slug in registry.exercises())
    with pytest.raises(registry.NoSuchExercise):
        registry.find("drills/nonsense-1")
