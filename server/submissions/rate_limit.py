"""How often a student may hand in.

Submissions are counted in the database, where they are anyway: exact with any number of servers, and kept over a
restart. The check reads one entry of one index.
"""

from __future__ import annotations

import math
from datetime import timedelta

from sqlmodel import Session

from server.database.table import now
from server.http.problems import Problem
from server.submissions.queries import NTH_NEWEST_MOMENT

WINDOW = timedelta(minutes=1)
CLOCKS_DIFFER = timedelta(
    seconds=10
)  # of machines that share a database; later ones are older than the clock's setting


class TooFast(Problem):
    """The account has handed in as often as it may within a minute."""

    status, title, slug = 429, "Too fast", "too-fast"


def check(session: Session, account_id: int, per_minute: int) -> None:
    """Let an account hand in unless it did so ``per_minute`` times within the last minute; 0 means no limit.

    :raises TooFast: it did; ``Retry-After`` says in how many seconds it may again
    """
    if per_minute == 0:
        return
    which = {"account_id": account_id, "newer": per_minute - 1, "until": now() + CLOCKS_DIFFER}
    moment = NTH_NEWEST_MOMENT.scalar(session, which)
    left = moment + WINDOW - now() if moment else timedelta(0)
    if left > timedelta(0):
        seconds = math.ceil(left.total_seconds())
        raise TooFast(
            f"You have handed in {per_minute} times within a minute, the limit of this server. "
            f"Nothing was kept; wait {seconds} s and send it again.",
            {"Retry-After": str(seconds)},
        )
