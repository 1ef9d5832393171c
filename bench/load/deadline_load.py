"""An evening: who hands in what and when, and what the course has behind it."""

from __future__ import annotations

import random
import statistics
import timeit
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import safetensors.torch
from sqlmodel import col, select

from bench.bare import bare
from bench.house import COURSE, EXERCISE, House
from exercises import names
from exercises.catalog import find
from exercises.instance import Instance, Kind
from grader.grade import grade_code
from grader.reference import reference
from grader.sandbox import Sandbox
from server.courses import find_course
from server.db import Database
from server.grading import Graded, store
from server.instances import Held, Instances
from server.models import AnswerKind, Enrolment, Role, Submission, now
from server.submissions import Answer

SOLUTION = find(EXERCISE).solution
MISTAKEN = SOLUTION.replace("* bnvar_inv + 2", "* bnvar_inv + 3")
STEPS = [each.answer for each in find(EXERCISE).checkpoints]
WRONG = 1 / 3  # of what is handed in
LAST_WEEK = timedelta(days=7)
BARE_ROUNDS = 200
BEFORE = "the environment of last week"

# The name of a step, and whether it is right → a safetensors file of that answer alone.
Files = dict[tuple[str, bool], bytes]


@dataclass(frozen=True)
class Deed:
    """Something that is handed in, so many seconds after the beginning: a step by the name of its answer, or else
    the whole solution; right, or with one mistake."""

    seconds: float
    step: str | None
    right: bool


@dataclass(frozen=True)
class Evening:
    """Each of the ``students`` hands in every step once and ``solutions`` full ones, within ``seconds``; ``old``
    submissions are graded again from the middle on."""

    students: int = 300
    solutions: int = 3
    seconds: float = 90.0
    old: int = 2000

    @property
    def deeds(self) -> int:
        """How much is handed in."""
        return self.students * (len(STEPS) + self.solutions)

    def plan(self, student: int) -> list[Deed]:
        """What one of them does, and when: moments are fixed before, whatever the server is doing. The steps come in
        their order."""
        chance = random.Random(student)
        steps: list[str | None] = [*STEPS]
        for _ in range(self.solutions):
            steps.insert(chance.randrange(len(steps) + 1), None)
        moments = sorted(chance.uniform(0, self.seconds) for _ in steps)
        return [Deed(moment, step, chance.random() >= WRONG) for moment, step in zip(moments, steps, strict=True)]


def prepare(house: House, old: int) -> list[Files]:
    """Draw every student's numbers, as if they had been pulled, and write down ``old`` full solutions of theirs with
    the grades of another environment. For each student the answers to each step, as files."""
    database = Database(house.settings.url)
    instances = Instances(database, house.settings.key, names.load(None))
    exercise = find(EXERCISE)
    students = _students(database)
    own = [instances.get(student, exercise, Kind.STUDENT).instance for student in students]
    hidden = [instances.get(student, exercise, Kind.HIDDEN) for student in students]
    _write_old(database, students, list(_graded(hidden[:old])), old)
    database.close()
    return [_answers(instance) for instance in own]


def bare_ms() -> float:
    """What the solution costs where nothing is around it: the first decile of some rounds, because an evening leaves a
    machine that is still busy."""
    once = bare(find(EXERCISE).canonical())
    once()
    return statistics.quantiles(timeit.repeat(once, number=1, repeat=BARE_ROUNDS), n=10)[0] * 1000


def _students(database: Database) -> list[int]:
    """In the order in which they came in."""
    with database.reading() as session:
        wanted = select(Enrolment.student_id).where(Enrolment.role == Role.STUDENT)
        return list(session.exec(wanted.order_by(col(Enrolment.student_id))))


def _graded(hidden: list[Held]) -> Iterator[Graded]:
    """The solution on each instance, run and graded here, but said to be of another environment."""
    with Sandbox() as sandbox:
        for held in hidden:
            grade = grade_code(held.instance, SOLUTION, "solution.py", sandbox)
            yield Graded(replace(grade, environment=BEFORE), held.id, held.instance.exercise.revision, 0.01)


def _write_old(database: Database, students: list[int], graded: list[Graded], old: int) -> None:
    answer = Answer(AnswerKind.CODE, SOLUTION.encode(), "solution.py")
    with database.writing() as session:
        course = find_course(session, COURSE)
        assert course is not None
        for number in range(old):
            which = number % len(students)
            submission = Submission(
                course_id=course.id,
                student_id=students[which],
                exercise=EXERCISE,
                revision=graded[which].revision,
                attempt=1 + number // len(students),
                kind=answer.kind,
                filename=answer.filename,
                body=answer.body,
                digest=answer.digest,
                created_at=now() - LAST_WEEK,
            )
            session.add(submission)
            session.flush()
            store(session, submission, graded[which])


def _answers(instance: Instance) -> Files:
    """The gradients, and with another sign. Of those that are zero, that is right as well: they get a number added."""
    vanishing = reference(instance).vanishing
    found = bare(instance)()
    files: Files = {}
    for step in STEPS:
        right = found[step].clone().contiguous()
        files[step, True] = safetensors.torch.save({step: right})
        wrong = right + 1 if step.removeprefix("d") in vanishing else -right
        files[step, False] = safetensors.torch.save({step: wrong})
    return files
