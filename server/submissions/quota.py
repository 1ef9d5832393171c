"""How much is kept of a student in a course.

Only large files count. Code has at most 64 KiB, and single steps have less.
"""

from __future__ import annotations

from typing import Final

from sqlmodel import Session

from server.http.problems import TooLarge
from server.submissions.queries import LARGE_BYTES_KEPT

KIB: Final = 1024
MIB: Final = 1024 * KIB
LARGE_BYTES: Final = 64 * KIB


class QuotaUsedUp(TooLarge):
    """As much is kept of the student as the server keeps."""

    title, slug = "Quota used up", "quota-used-up"


def check(session: Session, course_id: int, account_id: int, size: int, quota_bytes: int) -> None:
    """Let an account hand in a file of so many bytes unless its large files are over the quota; 0 means none.

    :raises QuotaUsedUp: they are
    """
    if quota_bytes == 0 or size <= LARGE_BYTES:
        return
    which = {"course_id": course_id, "account_id": account_id, "larger": LARGE_BYTES}
    kept = LARGE_BYTES_KEPT.scalar(session, which)
    if kept + size > quota_bytes:
        raise QuotaUsedUp(
            f"Your files in this course take {kept / MIB:.0f} MiB, and {quota_bytes // MIB} are kept of a person. "
            f"Nothing was kept; hand in code, or files of up to {LARGE_BYTES // KIB} KiB, such as single steps."
        )
