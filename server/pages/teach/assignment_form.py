"""The form of an assignment: its rules, what a late answer is worth, and what a change does to points."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Response

from exercises.exercise import Exercise
from server.assignments import changes, extensions, validation
from server.assignments.assignment import Assignment
from server.assignments.changes import Change
from server.assignments.exercises import find_exercise
from server.assignments.extensions import Recipient
from server.assignments.impact import Impact
from server.assignments.validation import BadAssignment
from server.courses.access import CourseSession
from server.courses.local_time import zone_of
from server.http.problems import Outdated, Problem
from server.pages.fields import FormState, Reader, typed_moment, typed_number, typed_percent
from server.pages.forms import TheForm, text
from server.pages.late_curve import LateCurve, late_curve
from server.pages.page import Page, ThePage
from server.pages.route import FRAGMENT_HEADER, page_router
from server.pages.teach.assignments import ASSIGNMENT, Setting, Slug, state_of
from server.tables import Accepts, AssignmentRow, CourseRow, Feedback, LatePolicy, Numbers

router = page_router()
WEIGHT: Final = "weight."
LABELS: Final = {
    "opens_at": "Opens",
    "due_at": "Due",
    "late_policy": "A late answer",
    "late_per_day": "Each begun day costs",
    "late_floor": "Never less than",
    "grace_minutes": "Grace",
    "attempts_max": "Attempts",
    "points": "Points",
    "checkpoint_points": "Weights of steps",
    "accepts": "What is handed in",
    "numbers": "Numbers",
    "on_hidden_numbers": "Hidden numbers",
    "approximate_share": "An inexact step earns",
    "inherited_share": "An inherited step earns",
    "hint_levels": "Hints",
    "hints_after": "Hints after",
    "counterexamples": "Counterexample",
    "feedback": "Results are shown",
    "feedback_after": "After so many attempts",
    "checks_open": "Live checks",
}
# How the sentences about rules call them: REST names the fields, a page what stands beside them.
NOUNS: Final = {
    "opens_at": "opening time",
    "due_at": "due time",
    "late_per_day": "cost of a day",
    "late_floor": "least share",
    "grace_minutes": "grace in minutes",
    "attempts_max": "number of attempts",
    "feedback_after": "number of attempts before results",
    "hint_levels": "levels of hints",
    "hints_after": "number of attempts before hints",
    "approximate_share": "share of an inexact step",
    "inherited_share": "share of an inherited step",
    "checkpoint_points": "weights",
}
QUOTED: Final = {
    "'daily'": "“loses points by the day”",
    "'closed'": "“is not taken”",
    "'none'": "“counts in full”",
    "'after_due'": "“after the due time”",
    "'after_attempts'": "“after some attempts”",
}


@dataclass(frozen=True)
class Preview:
    """What is shown beside the form: the curve of the rules in it, what they do to points, and who has longer.

    ``impact`` is None for rules as they are; ``agreed`` is the sentence that saving them confirms.
    """

    curve: LateCurve | None
    late_policy: str
    impact: Impact | None = None
    extensions: Sequence[Recipient] = ()

    @property
    def agreed(self) -> str:
        """What is agreed to by saving; nothing if nobody's points change."""
        return self.impact.sentence if self.impact is not None and self.impact.students else ""


@dataclass(frozen=True)
class Meanwhile:
    """A rule that another person changed while the form was open: theirs, and what is in the form."""

    label: str
    theirs: str
    mine: str


@dataclass(frozen=True)
class Shown:
    """A form of an assignment as it is shown."""

    exercise: Exercise
    state: FormState
    preview: Preview
    row: AssignmentRow | None
    meanwhile: Sequence[Meanwhile] = field(default=())
    is_looking: bool = False


@router.get(ASSIGNMENT)
def show_assignment(page: ThePage, access: Setting, slug: Slug) -> Response:
    """Show the rules of an assignment; one that is not there has the defaults."""
    exercise = find_exercise(slug)
    with access.reading() as member:
        row = _find(member, slug)
        shown_row = row or AssignmentRow(course_id=member.course.id, exercise=slug, position=0)
        state = FormState(typed(shown_row, member.course, is_new=row is None), labels=LABELS)
        preview = _preview(member, shown_row, None)
        return _render(page, member, Shown(exercise, state, preview, row))


@router.post(ASSIGNMENT)
def save_assignment(page: ThePage, access: Setting, form: TheForm, slug: Slug) -> Response:
    """Save the rules of an assignment; if that changes somebody's points, once it was seen and agreed to.

    ``act=look`` shows what saving would do, and saves nothing.
    """
    exercise = find_exercise(slug)
    state = FormState.of(form, LABELS)
    is_looking = text(form, "act") == "look" or FRAGMENT_HEADER in page.request.headers
    try:
        with access.writing() as member:
            old = _find(member, slug)
            fields = read_rules(Reader(form, state), exercise, member.course, old)
            if state.is_wrong:
                _blame_rules(state, fields, exercise)
            else:
                seen = text(form, "version")
                change = Change(slug, fields, None, int(seen) if seen.isdecimal() else None, is_whole=True)
                plan = changes.plan_change(member.session, member.course, change)
                preview = _preview(member, plan.row, plan.impact)
                if is_looking or (preview.agreed and text(form, "agreed") != preview.agreed):
                    return _render(page, member, Shown(exercise, state, preview, old, is_looking=is_looking))
                is_changed = plan.is_new or old is None or plan.row.version != old.version
                changes.write(member.session, member.course, plan, member.actor)
                done = "saved" if is_changed else "same"
                return page.go(f"/courses/{access.slug}/assignments?done={done}")
    except BadAssignment as bad:
        _keep_faults(state, bad)
    except Outdated:
        return _show_meanwhile(page, access, exercise, state)
    except Problem as problem:
        state.blame(problem)
    with access.reading() as member:
        row = _find(member, slug)
        kept = row or AssignmentRow(course_id=member.course.id, exercise=slug, position=0)
        return _render(page, member, Shown(exercise, state, _preview(member, kept, None), row, is_looking=is_looking))


def read_rules(reader: Reader, exercise: Exercise, course: CourseRow, old: AssignmentRow | None) -> dict[str, Any]:
    """Return the rules in a form; what cannot be read is a fault of its state."""
    zone = zone_of(course)
    levels = reader.choice("hint_levels", ("0", "1", "2", "3"))
    counterexamples = reader.choice("counterexamples", ("yes", "no"))
    approximate = reader.percent("approximate_share", 1.0)
    return {
        "opens_at": reader.moment("opens_at", zone, old.opens_at if old else None),
        "due_at": reader.moment("due_at", zone, old.due_at if old else None),
        "late_policy": LatePolicy(reader.choice("late_policy", tuple(LatePolicy), LatePolicy.NONE.value)),
        "late_per_day": reader.percent("late_per_day", 0.0) or 0.0,
        "late_floor": reader.percent("late_floor", 0.0) or 0.0,
        "grace_minutes": reader.number("grace_minutes", 0) or 0,
        "attempts_max": reader.number("attempts_max"),
        "points": reader.decimal("points"),
        "checkpoint_points": _weights(reader, exercise),
        "accepts": Accepts(reader.choice("accepts", tuple(Accepts), Accepts.BOTH.value)),
        "numbers": Numbers(reader.choice("numbers", tuple(Numbers), Numbers.STUDENT.value)),
        "on_hidden_numbers": reader.is_on("on_hidden_numbers"),
        "approximate_share": 1.0 if approximate is None else approximate,
        "inherited_share": reader.percent("inherited_share"),
        "hint_levels": int(levels) if levels else None,
        "hints_after": reader.number("hints_after"),
        "counterexamples": {"yes": True, "no": False}.get(counterexamples),
        "feedback": Feedback(reader.choice("feedback", tuple(Feedback), Feedback.AT_ONCE.value)),
        "feedback_after": reader.number("feedback_after", 0) or 0,
        "checks_open": reader.is_on("checks_open"),
    }


def typed(row: AssignmentRow, course: CourseRow, *, is_new: bool = False) -> dict[str, str]:
    """Return the rules of an assignment as a form holds them."""
    zone = zone_of(course)
    values = {
        "opens_at": typed_moment(row.opens_at, zone),
        "due_at": typed_moment(row.due_at, zone),
        "late_policy": row.late_policy.value,
        "late_per_day": typed_percent(row.late_per_day or None),
        "late_floor": typed_percent(row.late_floor or None),
        "grace_minutes": typed_number(row.grace_minutes or None),
        "attempts_max": typed_number(row.attempts_max),
        "points": typed_number(row.points),
        "accepts": row.accepts.value,
        "numbers": row.numbers.value,
        "on_hidden_numbers": "on" if row.on_hidden_numbers else "",
        "approximate_share": typed_percent(row.approximate_share),
        "inherited_share": typed_percent(row.inherited_share),
        "hint_levels": typed_number(row.hint_levels),
        "hints_after": typed_number(row.hints_after),
        "counterexamples": {True: "yes", False: "no"}.get(row.counterexamples, "")
        if row.counterexamples is not None
        else "",
        "feedback": row.feedback.value,
        "feedback_after": typed_number(row.feedback_after or None),
        "checks_open": "on" if row.checks_open else "",
        "version": "0" if is_new else str(row.version),
    }
    return values | {f"{WEIGHT}{name}": typed_number(weight) for name, weight in row.checkpoint_points.items()}


def in_words(sentence: str) -> str:
    """Return a sentence about rules with the words of the page in place of the names of REST."""
    for name, words in QUOTED.items():
        sentence = sentence.replace(name, words)
    for name, noun in NOUNS.items():
        sentence = re.sub(rf"\b(an?|above|in) {name}\b", rf"\1 {noun}", sentence)
        sentence = re.sub(rf"\b{name}\b", f"the {noun}", sentence)
    sentence = sentence.replace("above number of", "above the number of").replace("in weights", "among the weights")
    return sentence[:1].upper() + sentence[1:]


def _blame_rules(state: FormState, fields: Mapping[str, Any], exercise: Exercise) -> None:
    """Keep what else is wrong with rules of which some could not be read, so that all is mended at once."""
    if "due_at" in state.faults:  # nearly every rule about dates would follow from that
        return
    try:
        validation.check(
            AssignmentRow(course_id=0, exercise=exercise.slug, position=0, **fields),
            [each.name for each in exercise.checkpoints],
        )
    except BadAssignment as bad:
        _keep_faults(state, bad)


def _keep_faults(state: FormState, bad: BadAssignment) -> None:
    for fault in bad.faults:
        state.faults.setdefault(fault.field, in_words(fault.sentence))


def _weights(reader: Reader, exercise: Exercise) -> dict[str, float]:
    """Return the weights that are not 1."""
    weights = {}
    for checkpoint in exercise.checkpoints:
        weight = reader.decimal(f"{WEIGHT}{checkpoint.name}", 1.0)
        if weight is not None and weight != 1.0:
            weights[checkpoint.name] = weight
    return weights


def _find(member: CourseSession, slug: str) -> AssignmentRow | None:
    try:
        return changes.find(member.session, member.course, slug)
    except changes.UnknownAssignment:
        return None


def _preview(member: CourseSession, row: AssignmentRow, impact: Impact | None) -> Preview:
    found = extensions.read_list(member.session, member.course, member.actor, row.exercise)
    curve = late_curve(Assignment.of(row, member.course), zone_of(member.course))
    return Preview(curve, row.late_policy.value, impact, [each for each in found if each.row.revoked_at is None])


def _show_meanwhile(page: Page, access: Setting, exercise: Exercise, state: FormState) -> Response:
    """Show who changed what while a form was open; saving it again saves over that."""
    with access.reading() as member:
        row = _find(member, exercise.slug)
        now_is = row or AssignmentRow(course_id=member.course.id, exercise=exercise.slug, position=0)
        theirs = typed(now_is, member.course, is_new=row is None)
        differing = _differing(theirs, state.values)
        state.values["version"] = theirs["version"]
        shown = Shown(exercise, state, _preview(member, now_is, None), row, differing)
        return _render(page, member, shown, 412)


def _differing(theirs: Mapping[str, str], mine: Mapping[str, str]) -> list[Meanwhile]:
    names = [name for name in {**theirs, **mine} if name in LABELS or name.startswith(WEIGHT)]
    return [
        Meanwhile(
            LABELS.get(name, f"Weight of {name.removeprefix(WEIGHT)}"),
            theirs.get(name, "").replace("T", " ") or "–",
            mine.get(name, "").replace("T", " ") or "–",
        )
        for name in names
        if theirs.get(name, "") != mine.get(name, "")
    ]


def _render(page: Page, member: CourseSession, shown: Shown, status: int = 200) -> Response:
    if FRAGMENT_HEADER in page.request.headers:
        return page.render("teach/assignment_preview.html", membership=member.membership, shown=shown, is_fragment=True)
    weights = [(each.name, f"{WEIGHT}{each.name}") for each in shown.exercise.checkpoints]
    return page.render(
        "teach/assignment.html",
        422 if shown.state.is_wrong else status,
        membership=member.membership,
        shown=shown,
        weights=weights,
        how=state_of(shown.row) if shown.row else "new",
    )
