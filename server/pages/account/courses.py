"""My courses: what is due, how far I am, what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Query, Response

from exercises import registry
from server.accounts.signin import SignedInSession
from server.assignments import packs
from server.catalogue import present
from server.catalogue.schemas import ExerciseSummaryBody
from server.courses.access import CourseSession, Membership, memberships_of
from server.courses.local_time import zone_of
from server.courses.roles import Permission
from server.courses.seats import Presence, count_present
from server.database.table import now
from server.feedback.news import News, read_news
from server.pages.graph import MiniGraph, mini
from server.pages.marks import mark_of
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import OptionalVisitor, TheVisitor
from server.rules.rules import Rules, find_all_rules
from server.submissions.standing import OwnStanding, read_standing
from server.tables import CourseRow

router = page_router()
NEWS_DAYS: Final = timedelta(days=14)
PARTS_OF_DAY: Final = ((5, "Good night"), (12, "Good morning"), (18, "Good afternoon"), (24, "Good evening"))


@dataclass(frozen=True)
class Work:
    """An exercise that a course asks for, with how far the student is."""

    course: CourseRow
    about: ExerciseSummaryBody
    standing: OwnStanding
    graph: MiniGraph
    moment: datetime
    is_next: bool = False

    @property
    def address(self) -> str:
        """The address of its workbench."""
        return f"/courses/{self.course.slug}/exercises/{self.about.slug}"

    @property
    def is_open(self) -> bool:
        """Whether it has opened."""
        return self.about.opens_at is None or self.about.opens_at <= self.moment

    @property
    def is_done(self) -> bool:
        """Whether every step passed, as far as that shows."""
        return self.standing.passed == self.about.total

    @property
    def is_over(self) -> bool:
        """Whether the due time has passed."""
        return self.about.due_at is not None and self.about.due_at <= self.moment

    @property
    def waits(self) -> bool:
        """Whether there is something to do before a due time."""
        return self.is_open and not self.is_done and not self.is_over

    @property
    def act(self) -> str:
        """What one does with it next."""
        if self.is_done or self.is_over:
            return "Look again"
        return "Go on" if self.about.attempts else "Begin"


@dataclass(frozen=True)
class MyCourse:
    """A course: with the work of its student, or with who is there for its staff."""

    membership: Membership
    section: str | None
    works: tuple[Work, ...] = ()
    presence: Presence | None = None

    @property
    def course(self) -> CourseRow:
        """The course."""
        return self.membership.course

    @property
    def role(self) -> str:
        """What the visitor is in it."""
        return min(self.membership.roles)

    @property
    def points(self) -> float:
        """What was earned, as far as it shows."""
        return sum(work.standing.points or 0.0 for work in self.works)

    @property
    def points_max(self) -> float:
        """What all of it is worth."""
        return sum(work.about.points for work in self.works)


@dataclass(frozen=True)
class MyCourses:
    """What the page of my courses shows."""

    greeting: str
    zone: str
    courses: tuple[MyCourse, ...]
    archived: tuple[MyCourse, ...]
    next: Work | None
    news: Sequence[News]

    @property
    def teaches(self) -> bool:
        """Whether the account teaches each of its courses."""
        return all(each.presence is not None for each in self.courses)

    @property
    def at_work(self) -> int:
        """How many students are at work now, in all courses that the account teaches."""
        return sum(each.presence.at_work for each in self.courses if each.presence)


def read_courses(signed_in: SignedInSession) -> MyCourses:
    """Return the courses of an account: what is due first on top, then those that it teaches."""
    moment = now()
    listed = [_course(signed_in, membership, section, moment) for membership, section in memberships_of(signed_in)]
    active = [each for each in listed if each.course.archived_at is None]
    waiting = [work for each in active for work in each.works if work.waits]
    first = min(waiting, key=_due, default=None)
    courses = [
        replace(each, works=tuple(replace(work, is_next=work is first) for work in each.works)) for each in active
    ]
    courses.sort(key=lambda each: (each.presence is not None, min(map(_due, each.works), default=_LAST)))
    zone = courses[0].course if courses else None
    return MyCourses(
        greeting=_greeting(moment, zone),
        zone=zone.time_zone if zone else "UTC",
        courses=tuple(courses),
        archived=tuple(each for each in listed if each.course.archived_at is not None),
        next=first,
        news=read_news(signed_in.session, signed_in.account_id, moment - NEWS_DAYS),
    )


@router.get("/")
def start(page: ThePage, visitor: OptionalVisitor) -> Response:
    """Lead to the visitor's courses, or to where one signs in."""
    return page.go("/courses" if visitor else "/sign-in")


@router.get("/courses")
def show_courses(page: ThePage, visitor: TheVisitor, note: Annotated[str, Query(max_length=16)] = "") -> Response:
    """Show the courses of whoever looks, with what is due."""
    with visitor.reading() as signed_in:
        return page.render("account/courses.html", mine=read_courses(signed_in), note=note)


def _course(signed_in: SignedInSession, membership: Membership, section: str | None, moment: datetime) -> MyCourse:
    if membership.may(Permission.READ_CLASS):
        return MyCourse(
            membership,
            membership.section,
            presence=count_present(signed_in.session, membership.course, membership.section),
        )
    member = CourseSession(signed_in.session, signed_in.account_id, membership)
    rules = find_all_rules(member.session, membership, member.account_id, packs.exercises_of(member.course), moment)
    asked = [each for each in rules.values() if each.is_assigned]
    abouts = present.summaries(member, asked)
    works = [_work(member, each, about, moment) for each, about in zip(asked, abouts, strict=True)]
    return MyCourse(
        membership, section, tuple(sorted(works, key=lambda work: (work.is_done or work.is_over, _due(work))))
    )


def _work(member: CourseSession, rules: Rules, about: ExerciseSummaryBody, moment: datetime) -> Work:
    exercise = registry.find(rules.exercise)
    standing = read_standing(member.session, rules, exercise)
    marks = {name: mark_of(each.verdict, each.origin) for name, each in standing.outcomes.items()}
    label = f"Your graph: {standing.passed} of {about.total} steps pass" if marks else "Your graph: not begun"
    if rules.withheld is not None:
        label = "Your graph: results show later"
    return Work(member.course, about, standing, mini(exercise, marks, label), moment)


_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _due(work: Work) -> datetime:
    """Return what sorts work: what is due first comes first; what is over, not open or without a due time, last."""
    return work.about.due_at if work.about.due_at is not None and work.waits else _LAST


def _greeting(moment: datetime, course: CourseRow | None) -> str:
    hour = moment.astimezone(zone_of(course)).hour if course else moment.hour
    return next(words for before, words in PARTS_OF_DAY if hour < before)
