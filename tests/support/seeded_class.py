"""A class of 60 in the middle of its course: what screenshots, demonstrations and pages' tests look at.

Everything is drawn from one seed, at times before now. Answers are graded for real, each different one once, in this
process and on the canonical numbers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from exercises import registry
from exercises.instance import Instance
from grader.grade import Grade, grade_code
from server.accounts import accounts, sessions
from server.assignments import changes
from server.assignments.changes import Change
from server.courses import courses
from server.courses.access import Actor
from server.database.engine import Database
from server.database.table import now
from server.feedback import comments
from server.feedback.comments import Note
from server.grading.grade import TimedGrade, store
from server.instances.exercises import record_revisions
from server.instances.store import keep
from server.tables import (
    AccountRow,
    AnswerKind,
    Check,
    CommentRow,
    CourseRow,
    ExtensionRow,
    GradeRow,
    LatePolicy,
    OverrideRow,
    Role,
    RunState,
    SeatRow,
    SubmissionRow,
)
from tests.mistakes.catalogue import Mistake, load, source
from tests.support.servers import FakeSandbox
from tests.support.training import write_run

LAB: Final = "deep-learning-lab"
GROUP: Final = "reading-group"
FULL: Final = "makemore/full-backward"
ENTROPY: Final = "makemore/cross-entropy"
NORM: Final = "makemore/batch-norm"
TRAIN: Final = "makemore/train"
SEED: Final = 2

STUDENTS: Final = (
    "Noor",
    *"Amara Diallo,Bence Kovács,Chiara Ricci,Daniel Okafor,Elif Yılmaz,Farid Haddad,Greta Lindqvist".split(","),
    *"Hana Sato,Ibrahim Traoré,Jana Nováková,Kofi Mensah,Lena Hofmann,Mateo Álvarez,Nadia Rahman".split(","),
    *"Oskar Nyberg,Priya Nair,Quentin Moreau,Rosa Jiménez,Samir Aziz,Tomasz Wójcik,Uma Krishnan".split(","),
    *"Viktor Petrov,Wanjiru Kamau,Xin Zhao,Yuki Tanaka,Zofia Kamińska,Aoife Byrne,Bilal Qureshi".split(","),
    *"Camille Laurent,Dmitri Sokolov,Esther Adeyemi,Finn O’Connor,Giulia Conti,Hassan Farouk".split(","),
    *"Ines Carvalho,Jonas Weber,Katarina Horvat,Liang Chen,Mira Joshi,Nils Andersen,Olga Ivanova".split(","),
    *"Paulo Mendes,Ravi Menon,Sofia Papadaki,Thandiwe Dube,Ulrich Brandt,Vera Dragan,Wei Ling Tan".split(","),
    *"Ximena Torres,Yara Haddad,Zeynep Demir,Arjun Patel,Birgit Solheim,Cheng Wu,Dalia Mansour".split(","),
    *"Emil Johansson,Fatou Ndiaye,Goran Marić,Helena Costa".split(","),
)
# Checkpoints of the mistakes that this class makes, with how many of 45 students make it.
COMMON: Final = {
    "counts_sum_inv": 9,
    "counts": 14,
    "logits": 5,
    "hpreact": 6,
    "bnbias": 4,
    "bnvar_inv": 7,
    "bndiff2": 8,
    "bndiff": 13,
    "hprebn": 9,
    "W1": 5,
    "C": 7,
}
MADE_UP: Final = (
    *"mora mayah seel ndhayah arvin eliora jasbelynn kaeli dorian aniyah".split(),
    *"kora jailen madien alivia cassiel marlo tavi renley oskar brielle".split(),
)
REACHES: Final = ("counts", "logits", "hpreact", "bnraw", "bndiff", "hprebn", "C", "C", "C")


@dataclass(frozen=True)
class SeededClass:
    """The tokens of those who look at it, by who they are: ``student``, ``assistant``, ``staff``, ``admin``."""

    tokens: dict[str, str]


@dataclass
class _Graded:
    """Grades each different source once."""

    session: Session
    _instances: dict[str, tuple[int, Instance]] = field(default_factory=dict)
    _grades: dict[tuple[str, str], Grade] = field(default_factory=dict)

    def timed(self, exercise: str, code: str) -> TimedGrade:
        """Return the grade of code, as if it had just been run."""
        id, instance = self._instances.get(exercise) or self._keep(exercise)
        if (exercise, code) not in self._grades:
            self._grades[exercise, code] = grade_code(instance, code, "solution.py", FakeSandbox())
        return TimedGrade(self._grades[exercise, code], id, instance.exercise.revision, 0.011)

    def _keep(self, exercise: str) -> tuple[int, Instance]:
        instance = Instance.canonical(registry.find(exercise))
        self._instances[exercise] = keep(self.session, instance), instance
        return self._instances[exercise]


def fill(database: Database) -> SeededClass:
    """Write the class into a migrated database without courses."""
    record_revisions(database)
    with database.writing() as session:
        seeding = _Seeding(session)
        seeding.open_courses()
        seeding.make_assignments()
        seeding.play()
        seeding.give_feedback()
        seeding.train()
        return SeededClass(seeding.tokens)


class _Seeding:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = now().replace(microsecond=0)
        self.random = random.Random(SEED)
        self.tokens: dict[str, str] = {}
        self.graded = _Graded(session)
        self.planned: list[tuple[datetime, AccountRow, str, str]] = []
        self.attempts: dict[tuple[int, str], list[SubmissionRow]] = {}

    def open_courses(self) -> None:
        """Make the lab with its people, and a group that the student helps in."""
        self.lab = courses.open_course(self.session, LAB, "Deep learning lab")
        self.group = courses.open_course(self.session, GROUP, "Reading group, attention")
        for course in (self.lab, self.group):
            course.time_zone = "Europe/Berlin"
        self.quinn = self._seat("staff", "Quinn", Role.INSTRUCTOR, None)
        self.tove = self._seat("assistant", "Tove Berg", Role.ASSISTANT, "B")
        root = accounts.open_account(self.session, "Ada Root")
        root.is_admin = True
        self.tokens["admin"] = sessions.begin(self.session, root.id, "Firefox on Linux")
        self.students = [
            self._seat("student" if number == 0 else "", name, Role.STUDENT, "AB"[number % 5 < 3])
            for number, name in enumerate(STUDENTS)
        ]
        noor = self.students[0]
        accounts.issue_token(self.session, noor.id, device="dojo on lab-pc-14")
        sessions.begin(self.session, noor.id, "Safari on iPhone")
        self.session.add(SeatRow(course_id=self.group.id, account_id=noor.id, role=Role.ASSISTANT))
        for name in ("Ilse Maas", "Ken Ito", "Lars Holm", "May Lin", "Pia Roth", "Roy Katz"):
            member = courses.enrol(self.session, self.group, name, Role.STUDENT)
            seat = self.session.get_one(SeatRow, (self.group.id, member.account.id))
            seat.last_seen_at = self.now - timedelta(minutes=self.random.choice((1, 2, 200)))

    def _seat(self, who: str, name: str, role: Role, section: str | None) -> AccountRow:
        member = courses.enrol(self.session, self.lab, name, role, section)
        member.account.created_at = self.now - timedelta(days=16)
        seat = self.session.get_one(SeatRow, (self.lab.id, member.account.id))
        seat.created_at = member.account.created_at
        if role is Role.STUDENT:
            seat.university_id = f"s{10_000 + 37 * member.account.id}"
            seat.email = f"{seat.university_id}@lab.example"
        if who:
            sessions.adopt(self.session, member.token, "Firefox on Linux")
            self.tokens[who] = member.token
        return member.account

    def make_assignments(self) -> None:
        """Ask for four exercises: one is over, one is due, one opens tomorrow, and one is trained with."""
        actor = Actor(self.quinn.id, None)
        midnight = self.now.replace(hour=22, minute=59, second=0)
        late = {"late_policy": LatePolicy.DAILY, "late_per_day": 0.1, "late_floor": 0.5}
        for exercise, opens, due, points in (
            (ENTROPY, -14, -4, 8.0),
            (FULL, -10, 2, 26.0),
            (NORM, 1, 9, 10.0),
            (TRAIN, -3, 16, 14.0),
        ):
            fields = {"opens_at": midnight + timedelta(days=opens), "due_at": midnight + timedelta(days=due)}
            change = Change(exercise, {**fields, "points": points, **late})
            changes.write(self.session, self.lab, changes.plan_change(self.session, self.lab, change), actor)

    def play(self) -> None:
        """Let everybody work: most handed in, some are stuck, some never began."""
        mistakes = _one_line_mistakes(FULL)
        pool = [mistakes[name] for name, count in COMMON.items() for _ in range(count)]
        entropy = _one_line_mistakes(ENTROPY)["logits"]
        for number, student in enumerate(self.students):
            if number % 13 == 12:
                continue  # never ran
            for attempt in range(1 + (number % 4 == 1)):
                wrong = [entropy] if number % 4 == 1 and attempt == 0 else []
                moment = self.now - timedelta(days=5 + number % 6, minutes=number * 7 - attempt * 12)
                self._hand_in(student, ENTROPY, source(ENTROPY, wrong), moment)
            if number % 6 != 5 or number == 0:
                self._play_full(number, student, pool)
        self._play_noor(mistakes)
        self._write_planned()

    def _play_full(self, number: int, student: AccountRow, pool: Sequence[Mistake]) -> None:
        if number == 0:
            return
        reach = self.random.choice(REACHES)
        story = self.random.choice(_STORIES)
        own = _apart(self.random.sample(list(pool), story.mistakes))
        at_work = number % 5 == 3
        last = timedelta(minutes=self.random.randint(0, 9)) if at_work else timedelta(hours=self.random.randint(2, 190))
        for attempt in range(story.attempts):
            left = own[min(attempt * story.fixed_an_attempt, len(own) - story.stays) :] if own else []
            ago = last + timedelta(minutes=11 * (story.attempts - 1 - attempt))
            stop = reach if attempt else REACHES[min(REACHES.index(reach), 1 + number % 3)]
            self._hand_in(student, FULL, _cut(source(FULL, left), stop), self.now - ago)
        seat = self.session.get_one(SeatRow, (self.lab.id, student.id))
        seat.last_seen_at = self.now - last

    def _play_noor(self, mistakes: dict[str, Mistake]) -> None:
        """Play the evening of the one whose pages are shown: a path is missing at ``bndiff``, others inherit that."""
        noor = self.students[0]
        counts, bndiff = mistakes["counts"], mistakes["bndiff"]
        evening: tuple[tuple[list[Mistake], str], ...] = (
            ([counts], "counts"),
            ([counts], "logits"),
            ([], "hpreact"),
            ([], "bnraw"),
            ([bndiff], "bndiff"),
            ([bndiff], "b1"),
        )
        for number, (wrong, stop) in enumerate(evening):
            ago = timedelta(hours=15, minutes=8 * (len(evening) - number))
            self._hand_in(noor, FULL, _cut(source(FULL, wrong), stop), self.now - ago)
        self.session.get_one(SeatRow, (self.lab.id, noor.id)).last_seen_at = self.now - timedelta(minutes=2)

    def _hand_in(self, student: AccountRow, exercise: str, code: str, moment: datetime) -> None:
        """Plan a submission; ``_write_planned`` writes them in the order of their times."""
        self.planned.append((moment, student, exercise, code))

    def _write_planned(self) -> None:
        for planned in sorted(self.planned, key=lambda each: each[0]):
            self._write(*planned)
        when = select(SubmissionRow.created_at).where(SubmissionRow.id == GradeRow.submission_id).scalar_subquery()
        self.session.connection().execute(update(GradeRow).values(graded_at=when))

    def _write(self, moment: datetime, student: AccountRow, exercise: str, code: str) -> None:
        earlier = self.attempts.setdefault((student.id, exercise), [])
        timed = self.graded.timed(exercise, code)
        submission = SubmissionRow(
            course_id=self.lab.id,
            account_id=student.id,
            exercise=exercise,
            revision=timed.revision,
            attempt=len(earlier) + 1,
            instance_id=timed.instance_id,
            kind=AnswerKind.CODE,
            filename="solution.py",
            body=code.encode(),
            digest=hashlib.sha256(code.encode()).hexdigest(),
            created_at=moment,
        )
        submission.insert(self.session)
        store(self.session, submission, timed)
        earlier.append(submission)

    def give_feedback(self) -> None:
        """Write comments, an extension and an override."""
        noor, other = self.students[0], self.students[8]
        work = self.attempts[noor.id, FULL]
        for submission, note, ago in (
            (work[-1], Note("bndiff", "bndiff is used twice. Which of its two uses is not in this line yet?"), 2),
            (work[0], Note(None, "A good start. Keep the shapes beside each line, as you did here."), 14),
        ):
            for comment in comments.write(self.session, self.lab, [submission], self.quinn.id, note):
                written = update(CommentRow).values(created_at=self.now - timedelta(hours=ago))
                self.session.connection().execute(written.where(col(CommentRow.id) == comment.id))
        due = self.now.replace(hour=22, minute=59, second=0)
        for person, days, reason in ((noor, 4, "Ill on Tuesday"), (other, 5, "Conference trip")):
            self.session.add(
                ExtensionRow(
                    course_id=self.lab.id,
                    exercise=FULL,
                    account_id=person.id,
                    due_at=due + timedelta(days=days),
                    reason=reason,
                    granted_by_id=self.quinn.id,
                    created_at=self.now - timedelta(days=1),
                )
            )
        self.session.add(
            OverrideRow(
                course_id=self.lab.id,
                account_id=other.id,
                exercise=ENTROPY,
                points=7.5,
                reason="Shown on paper",
                author_id=self.quinn.id,
                created_at=self.now - timedelta(days=2),
            )
        )

    def train(self) -> None:
        """Let Noor train: a run goes on, others are over. Five more are in the ranking."""
        for place, pseudonym in enumerate(("Swole Doge", "tanh enjoyer", "Ada L.", "the dead neurons", "b2")):
            steps = (100_000, 50_000, 40_000, 20_000, 20_000)[place]
            self._train(place + 1, place, steps=steps, pseudonym=pseudonym, dev_loss=2.1204 + 0.0173 * place)
        over: dict[str, Any] = {"pseudonym": None, "train_loss": None, "dev_loss": None, "samples": []}
        told = "Line 3 raised KeyError: 'embcatt' in step 1. Mend it, hand it in once, and start another run."
        self._train(0, 30, **over, state=RunState.FAILED, step=0, message=told)
        self._train(0, 26, pseudonym=None, checked=Check.FAILED, wrong=0.3, train_loss=2.4077, dev_loss=2.4312)
        self._train(0, 3, pseudonym="Backprop Ninja", dev_loss=2.1641)
        self._train(0, 0, **over, state=RunState.RUNNING, step=8000, wrong=0.12, checked=Check.NO, finished_at=None)

    def _train(self, number: int, hours_ago: int, *, steps: int = 20_000, wrong: float = 0.0, **values: Any) -> None:
        """Write a training run of a student. Nobody computes what is missing of it: it is due in a year."""
        code = "\n".join(_without_head(registry.find(TRAIN).solution)).strip() + "\n"
        if wrong:
            code = code.replace("(1.0 - h**2) * dh", "(1.0 - h) * dh")
        step = values.get("step", steps)
        finished: dict[str, Any] = {
            "body": code.encode(),
            "steps": steps,
            "schedule": [[0, 0.1], [steps // 2, 0.01]],
            "step": step,
            "ranked": values["pseudonym"] is not None,
            "checked": Check.YES,
            "curve": _loss_curve(step, wrong),
            "reference_curve": _loss_curve(max(step - 1000, 0) if step < steps else steps, 0.0),
            "examples_per_second": 21_000.0,
            "samples": MADE_UP,
            "train_loss": 2.0894,
            "due_at": self.now + timedelta(days=365),
            "created_at": self.now - timedelta(hours=hours_ago, minutes=4),
            "finished_at": self.now - timedelta(hours=hours_ago),
        }
        write_run(self.session, self.lab.id, self.students[number].id, **finished | values)


@dataclass(frozen=True)
class _Story:
    """How somebody gets on: attempts, mistakes at first, how many each attempt mends, and how many stay."""

    attempts: int
    mistakes: int
    fixed_an_attempt: int
    stays: int


_STORIES: Final = (
    _Story(1, 0, 0, 0),
    _Story(2, 1, 1, 0),
    _Story(3, 2, 1, 0),
    _Story(4, 2, 1, 1),
    _Story(5, 3, 1, 1),
    _Story(6, 2, 0, 2),  # stuck
    _Story(2, 1, 0, 1),
    _Story(3, 1, 1, 0),
)


def _loss_curve(step: int, wrong: float) -> list[list[float]]:
    """Return a curve of the usual form, with a point every 500 steps. ``wrong`` is how much higher it ends."""
    return [
        [at, round(2.12 + 1.18 * exp(-at / 900) + 0.1 * exp(-at / 7000) + wrong * (1 - exp(-at / 3000)), 4)]
        for at in range(0, step + 1, 500)
    ]


def _one_line_mistakes(exercise: str) -> dict[str, Mistake]:
    """Return a mistake of one line for each checkpoint that has one: the first of the catalogue."""
    found: dict[str, Mistake] = {}
    for mistake in load():
        if mistake.exercise == exercise and len(mistake.removed) == 1 and len(mistake.written) == 1:
            found.setdefault(mistake.first, mistake)
    return found


def _apart(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Return those of these that change lines of their own."""
    kept: list[Mistake] = []
    for mistake in mistakes:
        if not any(mistake.touches(other) for other in kept):
            kept.append(mistake)
    return kept


def _cut(code: str, checkpoint: str) -> str:
    """Return the code up to the line that answers a checkpoint; all of it if that is the last."""
    lines = list(_without_head(code))
    if checkpoint != "C":
        answers = [number for number, line in enumerate(lines) if line.startswith(f"d{checkpoint} = ")]
        lines = lines[: answers[-1] + 1]
    return "\n".join(lines).strip() + "\n"


def _without_head(code: str) -> Iterator[str]:
    """Yield the lines of a solution without what its file says about itself."""
    yield from (line for line in code.splitlines() if not line.startswith(('"""', "# ruff", "# mypy")))


def course_of(session: Session, slug: str = LAB) -> CourseRow:
    """Return a course of the class."""
    course = courses.find_course(session, slug)
    assert course is not None
    return course
