"""The packs of a course: added, pinned, and told of when they change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner
from sqlmodel import Session, select

from exercises import registry
from server.assignments import changes, packs
from server.assignments.assignment import list_assignments
from server.assignments.changes import Change
from server.assignments.commands import set_packs
from server.assignments.exercises import UnknownPack
from server.assignments.packs import PackInUse
from server.courses import courses
from server.courses.access import OPERATOR
from server.database.engine import Database
from server.lifecycle.copying import CopyOrder, copy
from server.settings import Settings
from server.tables import AuditRow, CourseRow
from tests.support.packs import write_pack
from tests.support.servers import COURSE, FULL, SAFETENSORS, RunningServer

SQUARE = "squares/a-square"
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def squares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a pack that is found by the setting."""
    folder = write_pack(tmp_path / "squares")
    monkeypatch.setenv("DOJO_PACKS", str(folder))
    registry.clear()
    yield folder
    registry.clear()


def rewrite(squares: Path) -> None:
    """Change a file of the pack, as a new version of it would."""
    (squares / "a_square" / "statement.md").write_text("Derive dx and dy.")
    registry.clear()


def open_course(session: Session) -> CourseRow:
    course = courses.open_course(session, "autumn", "Autumn")
    session.flush()
    return course


def test_a_course_has_the_default_pack_alone(database: Database, squares: Path) -> None:
    with database.writing() as session:
        course = open_course(session)

        (makemore,) = packs.read(course)
        assert (makemore.name, makemore.pinned, makemore.note) == ("makemore", None, None)
        assert [pack.name for pack in packs.others(course)][-1] == "squares"
        assert SQUARE not in packs.exercises_of(course)
        practice = list_assignments(session, course, registry.exercises())
        assert {each.exercise.partition("/")[0] for each in practice} == {"makemore"}


def test_a_pack_that_is_added_is_pinned(database: Database, squares: Path) -> None:
    with database.writing() as session:
        course = open_course(session)

        packs.pin(session, course, "squares", OPERATOR)

        installed = registry.packs()
    with database.reading() as session:
        course = session.exec(select(CourseRow)).one()
        assert course.packs == {name: installed[name].digest for name in ("makemore", "squares")}
        assert SQUARE in {each.exercise for each in list_assignments(session, course, registry.exercises())}
        (entry,) = session.exec(select(AuditRow).where(AuditRow.act == "course.packs")).all()
        assert entry.after == {"packs": [f"{name} {digest[:12]}" for name, digest in course.packs.items()]}


@on_sqlite
def test_a_changed_pack_is_told_of_until_it_is_pinned_again(database: Database, squares: Path) -> None:
    with database.writing() as session:
        course = open_course(session)
        packs.pin(session, course, "squares", OPERATOR)
        before = packs.read(course)[1]

        rewrite(squares)

        after = packs.read(course)[1]
        packs.pin(session, course, "squares", OPERATOR)
        again = packs.read(course)[1]
    assert before.note is None and again.note is None
    assert after.note is not None and after.installed is not None and after.pinned is not None
    assert f"({after.installed.digest[:12]} for {after.pinned[:12]}). Look at what changed" in after.note


@on_sqlite
def test_a_pinned_pack_that_is_gone_is_told_of(
    database: Database, squares: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        course = open_course(session)
        packs.pin(session, course, "squares", OPERATOR)
        monkeypatch.delenv("DOJO_PACKS")
        registry.clear()

        gone = packs.read(course)[1]

        assert gone.note == "The pack squares is not installed here. Install it, or take it out of the course."
        assert SQUARE not in packs.exercises_of(course)


@on_sqlite
def test_a_pack_in_use_stays(database: Database, squares: Path) -> None:
    with database.writing() as session:
        course = open_course(session)
        with pytest.raises(PackInUse, match=r"the last pack of this course\. Add another one first"):
            packs.remove(session, course, "makemore", OPERATOR)
        with pytest.raises(UnknownPack, match="has no pack 'squares'"):
            packs.remove(session, course, "squares", OPERATOR)
        packs.pin(session, course, "squares", OPERATOR)
        changes.write(session, course, changes.plan_change(session, course, Change(SQUARE)), OPERATOR)

        with pytest.raises(PackInUse, match=r"assignments of squares: squares/a-square\. Remove these first"):
            packs.remove(session, course, "squares", OPERATOR)
        packs.remove(session, course, "makemore", OPERATOR)

        assert list(course.packs) == ["squares"]


@on_sqlite
def test_an_assignment_needs_its_pack(database: Database, squares: Path) -> None:
    with database.writing() as session:
        course = open_course(session)

        with pytest.raises(UnknownPack, match=r"does not have the pack squares\. Add it to the course first"):
            changes.plan_change(session, course, Change(SQUARE))
        with pytest.raises(UnknownPack, match=r"No pack 'cubes' is installed\. Choose one of: .*makemore.*, squares"):
            packs.pin(session, course, "cubes", OPERATOR)


@on_sqlite
def test_a_copy_of_a_course_has_its_packs(database: Database, squares: Path) -> None:
    with database.writing() as session:
        course = open_course(session)
        packs.pin(session, course, "squares", OPERATOR)

        copied = copy(session, course, CopyOrder("spring"), OPERATOR, None)

        assert copied.course.packs == course.packs


@on_sqlite
def test_the_operator_adds_a_pack_and_sees_a_change(settings: Settings, database: Database, squares: Path) -> None:
    with database.writing() as session:
        open_course(session)

    def run(*words: str) -> str:
        result = CliRunner().invoke(set_packs, ["autumn", *words], obj=settings)
        assert result.exit_code == 0, result.output
        return result.output

    assert "makemore         not pinned    Becoming a Backprop Ninja" in run()
    assert "squares, type: python -m server course packs autumn --pin PACK" in run()
    assert "Squares" in run("--pin", "squares")
    rewrite(squares)
    assert "is not as this course pinned it" in run()
    assert "To pin it: python -m server course packs autumn --pin squares" in run()
    assert "squares" not in run("--remove", "squares").partition("To add")[0]


@on_sqlite
def test_a_student_works_in_a_pack_of_another_folder(squares: Path, server: RunningServer) -> None:
    instructor, student = server.instructor, server.join("Ada")
    address = f"/api/v1/courses/{COURSE}"
    assert student.get(f"{address}/exercises/{SQUARE}/instance").status_code == 404

    added = instructor.request("PUT", f"{address}/packs/squares").json()

    assert [(each["name"], each["note"]) for each in added["packs"]] == [("makemore", None), ("squares", None)]
    assert [each["slug"] for each in student.get(f"{address}/exercises").json()["exercises"]][-1] == SQUARE
    shown = student.get(f"{address}/exercises/{SQUARE}").json()
    assert [each["name"] for each in shown["checkpoints"]] == ["y", "x"] and shown["constants"] == {"n": 3}
    state = safetensors.torch.load(student.get(f"{address}/exercises/{SQUARE}/instance/state").content)
    answer = {"dy": torch.full((3,), 1 / 3), "dx": 2 * state["x"] / 3}
    graded = student.request(
        "POST",
        f"{address}/exercises/{SQUARE}/submissions",
        content=safetensors.torch.save(answer),
        headers={"Content-Type": SAFETENSORS},
    ).json()
    assert graded["grade"]["passed"] == 2
    assert student.get(f"{address}/exercises/{FULL}").status_code == 200
