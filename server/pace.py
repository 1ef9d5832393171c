"""Pace: how fast a student may hand in.

Counted in the database, where the submissions are anyway: exact with any number of servers, kept over a restart, and
one look at one index. A counter in memory would be none of that and not faster by anything that could be felt.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from server.models import Submission, now
from server.problems import Problem

WINDOW = timedelta(minutes=1)

_NTH_NEWEST: Final = (
    select(Submission.created_at)
    .where(Submission.student_id == bindparam("student_id"))
    .order_by(col(Submission.created_at).desc())
    .offset(bindparam("newer"))
    .limit(1)
)


class TooFast(Problem):
    status, title, slug = 429, "Too fast", "too-fast"


def require(session: Session, student_id: int, most: int) -> None:
    """Let a student hand in unless they did so ``most`` times within the last minute; 0 is any number.

    :raises TooFast: they did; ``Retry-After`` says in how many seconds they may
    """
    if most == 0:
        return
    limiting = session.connection().execute(_NTH_NEWEST, {"student_id": student_id, "newer": most - 1}).scalar()
    left = limiting + WINDOW - now() if limiting else timedelta(0)
    if left > timedelta(0):
        seconds = math.ceil(left.total_seconds())
        raise TooFast(
            f"You have handed in {most} times within a minute, as often as this server takes it. "
            f"Nothing was kept; wait {seconds} s and send it again.",
            {"Retry-After": str(seconds)},
        )
