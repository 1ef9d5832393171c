"""The deadline load: who hands in what and when, and the old submissions of the course."""

from __future__ import annotations

import random
import statistics
import timeit
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import safetensors.torch
from sqlmodel import col, select

from bench.bare import compile_bare
from bench.test_server import COURSE, EXERCISE, BenchServer
from exercises.instance import Instance, Kind
from exercises.registry import find
from grader.grade import grade_code
from grader.reference.gradients import reference
from grader.sandbox import Sandbox
from server.courses.courses import find_course
from server.database.engine import Database
from server.database.table import now
from server.grading.grade import TimedGrade, store
from server.instances.pool import POOL_SIZE, HiddenPool
from server.instances.store import InstanceStore, StoredInstance
from server.submissions.accept import HandedIn
from server.tables import AnswerKind, Role, SeatRow, SubmissionRow

SOLUTION = find(EXERCISE).solution
WRONG_SOLUTION = SOLUTION.replace("* bnvar_inv + 2", "* bnvar_inv + 3")
STEPS = [each.answer for each in find(EXERCISE).checkpoints]
WRONG_SHARE = 1 / 3  # of what is handed in
OLD_AGE = timedelta(days=7)
OLD_GRADE_SECONDS = 0.01
OLD_ENVIRONMENT = "the environment of last week"  # another than today's, so that a regrade has something to do
BARE_ROUNDS = 200

# The name of a step, and whether it is right → a safetensors file of that answer alone.
AnswerFiles = dict[tuple[str, bool], bytes]


@dataclass(frozen=True)
class Action:
    """Something to hand in, so many seconds after the beginning, right or with one mistake.

    ``step`` is the name of an answer that is handed in alone, or None for the whole solution.
    """

    seconds: float
    step: str | None
    is_right: bool


@dataclass(frozen=True)
class DeadlineLoad:
    """How much is handed in.

    Each student hands in every step once and ``solutions`` whole ones, within ``seconds``. From the middle on, ``old``
    submissions are graded again.
    """

    students: int = 300
    solutions: int = 3
    seconds: float = 90.0
    old: int = 2000

    @property
    def action_count(self) -> int:
        """How much all students hand in together."""
        return self.students * (len(STEPS) + self.solutions)

    def plan(self, student: int) -> list[Action]:
        """Return what a student hands in. The moments are fixed before; the steps come in their order."""
        chance = random.Random(student)
        steps: list[str | None] = [*STEPS]
        for _ in range(self.solutions):
            steps.insert(chance.randrange(len(steps) + 1), None)
        moments = sorted(chance.uniform(0, self.seconds) for _ in steps)
        return [
            Action(moment, step, chance.random() >= WRONG_SHARE) for moment, step in zip(moments, steps, strict=True)
        ]


def prepare(server: BenchServer, old: int) -> list[AnswerFiles]:
    """Draw the instances of all students, and write down ``old`` submissions; return each student's answers."""
    database = Database(server.settings.url)
    instances = InstanceStore(database, server.settings.key)
    exercise = find(EXERCISE)
    students = _student_ids(database)
    own = [instances.get(student, exercise, Kind.STUDENT).instance for student in students]
    pool = HiddenPool(database, instances)
    for _ in range(POOL_SIZE):
        pool.refill(exercise)
    lots = (instances.load(pool.lot(exercise, ()), exercise) for _ in students)
    hidden = [stored for stored in lots if stored]
    _write_old_submissions(database, students, list(_old_grades(hidden[:old])), old)
    database.close()
    return [_answer_files(instance) for instance in own]


def bare_ms() -> float:
    """Return the first decile of bare, in milliseconds: the machine is still busy after the load."""
    run_once = compile_bare(Instance.canonical(find(EXERCISE)))
    run_once()
    return statistics.quantiles(timeit.repeat(run_once, number=1, repeat=BARE_ROUNDS), n=10)[0] * 1000


def _student_ids(database: Database) -> list[int]:
    """Return the students' accounts in the order in which they joined."""
    with database.reading() as session:
        students = select(SeatRow.account_id).where(SeatRow.role == Role.STUDENT)
        return list(session.exec(students.order_by(col(SeatRow.account_id))))


def _old_grades(hidden: Sequence[StoredInstance]) -> Iterator[TimedGrade]:
    """Yield the grade of the solution on each instance, as one of another environment."""
    with Sandbox() as sandbox:
        for stored in hidden:
            grade = grade_code(stored.instance, SOLUTION, "solution.py", sandbox)
            revision = stored.instance.exercise.revision
            yield TimedGrade(replace(grade, environment=OLD_ENVIRONMENT), stored.id, revision, OLD_GRADE_SECONDS)


def _write_old_submissions(database: Database, students: list[int], grades: list[TimedGrade], old: int) -> None:
    answer = HandedIn(find(EXERCISE), AnswerKind.CODE, SOLUTION.encode(), "solution.py")
    with database.writing() as session:
        course = find_course(session, COURSE)
        assert course is not None
        for number in range(old):
            which = number % len(students)
            submission = SubmissionRow(
                course_id=course.id,
                account_id=students[which],
                exercise=EXERCISE,
                revision=grades[which].revision,
                attempt=1 + number // len(students),
                kind=answer.kind,
                filename=answer.filename,
                body=answer.body,
                digest=answer.digest,
                created_at=now() - OLD_AGE,
            )
            session.add(submission)
            session.flush()
            store(session, submission, grades[which])


def _answer_files(instance: Instance) -> AnswerFiles:
    """Return a file for each step, right and wrong.

    A wrong one has the other sign. A gradient of zero would still be right then, so 1 is added to it instead.
    """
    vanishing = reference(instance).vanishing
    gradients = compile_bare(instance)()
    files: AnswerFiles = {}
    for step in STEPS:
        right = gradients[step].clone().contiguous()
        wrong = right + 1 if step.removeprefix("d") in vanishing else -right
        files[step, True] = safetensors.torch.save({step: right})
        files[step, False] = safetensors.torch.save({step: wrong})
    return files
