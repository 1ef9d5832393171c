"""What the page of the commonest mistakes shows: the graph by who passed, and one step of it in detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from exercises.exercise import Exercise
from server.courses.access import CourseSession
from server.pages.graph import GraphShown, by_rates
from server.pages.steps import Column, columns_of
from server.pages.teach.box_plot import BoxPlot, box_plot
from server.pages.teach.class_view import Stuck, chosen_exercise, stuck_of
from server.reports.analytics import read_analytics
from server.reports.asked import class_scope
from server.reports.clusters import WantedClusters, read_clusters
from server.reports.live_rows import read_live_rows
from server.reports.schemas import CheckpointAnalyticsBody, ClusterBody, ExerciseAnalyticsBody

CLUSTERS_SHOWN = 8
PEOPLE_SHOWN = 8


class Measure(StrEnum):
    """What the graph is coloured by: who was right at the first attempt, or who passed by now."""

    FIRST = "first"
    NOW = "now"


MEANINGS = {Measure.FIRST: "right at the first attempt", Measure.NOW: "passed by now"}


@dataclass(frozen=True)
class Asked:
    """What the address of the page asks for."""

    exercise: str | None = None
    section: str | None = None
    step: str | None = None
    by: Measure = Measure.FIRST


@dataclass(frozen=True)
class HurtsView:
    """The page. ``step`` is the one shown in detail, ``column`` its place in the exercise; None without an exercise."""

    asked: Asked
    exercise: Exercise | None
    exercises: Sequence[Exercise]
    analytics: ExerciseAnalyticsBody | None
    graph: GraphShown | None
    step: CheckpointAnalyticsBody | None
    column: Column | None
    clusters: Sequence[ClusterBody]
    plot: BoxPlot | None
    stuck: Sequence[Stuck]

    @property
    def meaning(self) -> str:
        """What the numbers in the graph are."""
        return MEANINGS[self.asked.by]

    @property
    def tried(self) -> int:
        """How many students handed in anything of it."""
        return max((each.tried for each in self.analytics.checkpoints), default=0) if self.analytics else 0


def rate(step: CheckpointAnalyticsBody, by: Measure) -> int | None:
    """Return the share that is right at a step in percent, None if nobody tried."""
    right = step.passed_at_first if by is Measure.FIRST else step.passed
    return round(100 * right / step.tried) if step.tried else None


def read_hurts(member: CourseSession, asked: Asked) -> HurtsView:
    """Return where the class has trouble in an exercise.

    Without a step, the one is chosen at which most students made mistakes of their own, and then that fewest passed.

    :raises UnknownExercise: there is no such exercise
    :raises Forbidden: the member looks after another section
    """
    exercise, exercises = chosen_exercise(member, asked.exercise)
    if exercise is None:
        return HurtsView(asked, None, exercises, None, None, None, None, (), None, ())
    scope = class_scope(member, asked.section)
    (analytics,) = read_analytics(member.session, member.course, [exercise], scope).exercises
    rates = {each.name: rate(each, asked.by) for each in analytics.checkpoints}
    names = [each.name for each in analytics.checkpoints]
    chosen = asked.step if asked.step in names else max(analytics.checkpoints, key=_trouble).name
    wanted = WantedClusters(chosen, CLUSTERS_SHOWN)
    return HurtsView(
        asked=asked,
        exercise=exercise,
        exercises=exercises,
        analytics=analytics,
        graph=by_rates(exercise, rates, MEANINGS[asked.by], chosen),
        step=analytics.checkpoints[names.index(chosen)],
        column=columns_of(exercise)[names.index(chosen)],
        clusters=read_clusters(member.session, member.course, [exercise], scope, wanted).groups,
        plot=box_plot([(each.name, each.minutes_quantiles) for each in analytics.checkpoints]),
        stuck=stuck_of(read_live_rows(member.session, member.course, exercise, scope)),
    )


def _trouble(step: CheckpointAnalyticsBody) -> tuple[int, int]:
    return sum(each.students for each in step.mistakes), step.tried - step.passed_at_first
