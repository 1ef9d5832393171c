"""Similarity: pairs of students whose work has in common what few others have. A place to look, never a verdict.

Two things count: mistakes that few make, and fingerprints of code that few share and that neither the exercise's own
solution nor its forward pass has.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from exercises.exercise import Exercise
from server.courses.schemas import PersonBody
from server.database.engine import Database
from server.reports.clusters import Alike, Cluster, sentence
from server.reports.fingerprints import fingerprints_of
from server.reports.schemas import LinesBody, PassageBody, SharedMistakeBody, SimilarPairBody
from server.reports.sources import BATCH, Handin, batches, read_bodies

RARE_SHARE: Final = 0.05  # of the students who handed in; what more of them share is nothing special
RARE_MIN: Final = 2
RARE_MAX: Final = 10  # students; each further one adds a pair with all before, and each pair means less
SHARED_MIN: Final = 4  # fingerprints; fewer are chance, unless a rare mistake is shared too
NOTE: Final = "Places to look, no verdicts. Read both answers and hear both students before you decide anything."


@dataclass(frozen=True)
class Place:
    """Where a fingerprint stands: lines of a submission, from 1."""

    submission_id: int
    first: int
    last: int

    def touches(self, other: Place) -> bool:
        """Return whether another place goes on where this one is, or right after it."""
        return (
            self.submission_id == other.submission_id and self.first <= other.last + 1 and other.first <= self.last + 1
        )

    def with_(self, other: Place) -> Place:
        """Return both places as one."""
        return Place(self.submission_id, min(self.first, other.first), max(self.last, other.last))


Sketch = Mapping[int, Place]  # the fingerprints of a student
Accounts = tuple[int, int]


@dataclass
class Shared:
    """What two students share that few have. ``weight`` orders pairs: bits of surprise, roughly."""

    fingerprints: list[int] = field(default_factory=list)
    mistakes: list[Alike] = field(default_factory=list)
    weight: float = 0.0


def sketches_of(database: Database, exercise: Exercise, handins: Sequence[Handin]) -> dict[int, Sketch]:
    """Return the fingerprints of each student's code for an exercise, without those that the exercise gives."""
    given = {**fingerprints_of(exercise.solution), **fingerprints_of("\n".join(exercise.lines.values()))}
    sketches: dict[int, dict[int, Place]] = defaultdict(dict)
    for batch in batches([each for each in handins if each.exercise == exercise.slug], BATCH):
        bodies = read_bodies(database, [each.submission_id for each in batch])
        for each in batch:
            source = bodies.get(each.submission_id, b"").decode(errors="replace")
            for fingerprint, lines in fingerprints_of(source).items():
                if fingerprint not in given:
                    sketches[each.account_id].setdefault(fingerprint, Place(each.submission_id, *lines))
    return dict(sketches)


def find_pairs(sketches: Mapping[int, Sketch], clusters: Mapping[Alike, Cluster]) -> dict[Accounts, Shared]:
    """Return what pairs of students share that few have."""
    owners: dict[int, list[int]] = defaultdict(list)
    for account_id, sketch in sketches.items():
        for fingerprint in sketch:
            owners[fingerprint].append(account_id)
    pairs: dict[Accounts, Shared] = defaultdict(Shared)
    for fingerprint, accounts in owners.items():
        for pair, bits in _rare_pairs(accounts, len(sketches)):
            pairs[pair].fingerprints.append(fingerprint)
            pairs[pair].weight += bits
    tried = len({account_id for cluster in clusters.values() for account_id in cluster.newest} | set(sketches))
    for alike, cluster in clusters.items():
        if alike.code is not None:
            for pair, bits in _rare_pairs(cluster.newest, tried):
                pairs[pair].mistakes.append(alike)
                pairs[pair].weight += bits
    return {pair: shared for pair, shared in pairs.items() if shared.mistakes or len(shared.fingerprints) >= SHARED_MIN}


def pair_bodies(
    exercise: Exercise,
    sketches: Mapping[int, Sketch],
    clusters: Mapping[Alike, Cluster],
    names: Mapping[int, str],
    limit: int,
) -> list[tuple[float, SimilarPairBody]]:
    """Return the most surprising pairs of an exercise with their weights, of students who have a name."""
    pairs = find_pairs(sketches, clusters).items()
    named = [(pair, shared) for pair, shared in pairs if all(account_id in names for account_id in pair)]
    named.sort(key=lambda each: (-each[1].weight, each[0]))
    return [(shared.weight, _body(exercise, pair, shared, sketches, clusters, names)) for pair, shared in named[:limit]]


def _rare_pairs(accounts: Iterable[int], students: int) -> list[tuple[Accounts, float]]:
    """Return every pair of accounts that share something rare, with how surprising that is."""
    sharing = sorted(accounts)
    if not RARE_MIN <= len(sharing) <= min(RARE_MAX, max(RARE_MIN, math.ceil(RARE_SHARE * students))):
        return []
    bits = math.log2(1 + students / len(sharing))
    return [((one, other), bits) for one, other in combinations(sharing, 2)]


def _body(
    exercise: Exercise,
    pair: Accounts,
    shared: Shared,
    sketches: Mapping[int, Sketch],
    clusters: Mapping[Alike, Cluster],
    names: Mapping[int, str],
) -> SimilarPairBody:
    one, other = pair
    places = [(sketches[one][each], sketches[other][each]) for each in shared.fingerprints]
    return SimilarPairBody(
        exercise=exercise.slug,
        students=[PersonBody(id=each, name=names[each]) for each in pair],
        shared_fingerprints=len(shared.fingerprints),
        fingerprints=[len(sketches.get(each, ())) for each in pair],
        passages=[PassageBody(one=_lines(first), other=_lines(second)) for first, second in _joined(places)],
        mistakes=[
            SharedMistakeBody(
                checkpoint=alike.checkpoint,
                code=alike.code or "",
                students=len(clusters[alike].newest),
                message=sentence(alike, len(clusters[alike].newest)),
                submissions=[clusters[alike].newest[each] for each in pair],
            )
            for alike in shared.mistakes
        ],
    )


def _joined(places: Iterable[tuple[Place, Place]]) -> list[tuple[Place, Place]]:
    """Return passages: neighbouring places of both as one."""
    joined: list[tuple[Place, Place]] = []
    for one, other in sorted(places, key=lambda each: (each[0].submission_id, each[0].first, each[1].first)):
        if joined and joined[-1][0].touches(one) and joined[-1][1].touches(other):
            joined[-1] = (joined[-1][0].with_(one), joined[-1][1].with_(other))
        else:
            joined.append((one, other))
    return joined


def _lines(place: Place) -> LinesBody:
    return LinesBody(submission=place.submission_id, first=place.first, last=place.last)
