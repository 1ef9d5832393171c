"""What this machine remembers of the last attempt: of one account, and never more than it saw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dojo.api.responses import Comparison, Submission, read_submission
from dojo.api.server import Connection, Server
from dojo.commands.memory import FILE, Memory
from dojo.show.brief import Before
from tests.client.fake import ADDRESS, TOKEN, FakeDojo

ROW = Comparison("counts", "wrong", origin="own", hints=(("A sign.", "Look there."),))


def memory(folder: Path, *, student: str = "7", course: str = "autumn") -> Memory:
    return Memory(folder, Connection(Server(ADDRESS, TOKEN, FakeDojo().network), course, student))


def attempt(number: int, *passed: str) -> Submission:
    rows = [{"name": name, "verdict": "exact", "exact": True, "approximate": True} for name in passed]
    head = {"id": number, "exercise": "a/b", "attempt": number, "status": "graded", "grade": {"checkpoints": rows}}
    return read_submission(head)


def test_the_attempt_before_is_remembered(tmp_path: Path) -> None:
    memory(tmp_path).store(attempt(1, "counts", "h"))
    assert memory(tmp_path).before(attempt(2)) == Before(1, frozenset({"counts", "h"}))
    assert memory(tmp_path).before(attempt(3)) is None
    assert memory(tmp_path).before(attempt(1)) is None


def test_another_account_has_a_memory_of_its_own(tmp_path: Path) -> None:
    memory(tmp_path).store(attempt(1, "counts"))
    assert memory(tmp_path, student="8").before(attempt(2)) is None
    assert memory(tmp_path, course="spring").before(attempt(2)) is None


def test_an_earlier_attempt_does_not_replace_a_later_one(tmp_path: Path) -> None:
    memory(tmp_path).store(attempt(3, "counts"))
    memory(tmp_path).store(attempt(2))
    assert memory(tmp_path).before(attempt(4)) == Before(3, frozenset({"counts"}))


def test_the_levels_belong_to_one_mistake(tmp_path: Path) -> None:
    memory(tmp_path).store_hint_levels("a/b", ROW, 2)
    assert memory(tmp_path).hint_levels("a/b", ROW) == 2
    assert memory(tmp_path).hint_levels("a/c", ROW) == 0
    other_kind = Comparison("counts", "wrong", origin="own", hints=(("A factor.", "Look there."),))
    assert memory(tmp_path).hint_levels("a/b", other_kind) == 0
    memory(tmp_path).store(attempt(1, "h"))
    assert memory(tmp_path).hint_levels("a/b", ROW) == 2


@pytest.mark.parametrize("content", ["{", "[]", '{"KEY": 3}', '{"KEY": {"attempt": "1", "passed": 3, "hint": []}}'])
def test_a_damaged_memory_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content.replace("KEY", f"{ADDRESS}#7#autumn#a/b"))
    assert memory(tmp_path).before(attempt(2)) is None
    assert memory(tmp_path).hint_levels("a/b", ROW) == 0
    memory(tmp_path).store(attempt(1, "h"))
    assert memory(tmp_path).before(attempt(2)) == Before(1, frozenset({"h"}))
    assert json.loads((tmp_path / FILE).read_text())


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = memory(tmp_path / "file")
    nowhere.store(attempt(1, "h"))
    assert nowhere.before(attempt(2)) is None
