"""How much is kept of a student in a course.

Only large files count. Code has at most 64 KiB, and single steps have less.
"""

from __future__ import annotations

from typing import Final

from sqlmodel import Session, func, select

from server.http.problems import TooLarge
from server.tables import SubmissionRow

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
    length = func.length(SubmissionRow.body)
    kept = session.exec(
        select(func.coalesce(func.sum(length), 0)).where(
            SubmissionRow.course_id == course_id, SubmissionRow.account_id == account_id, length > LARGE_BYTES
        )
    ).one()
    if kept + size > quota_bytes:
        raise QuotaUsedUp(
            f"Your files in this course take {kept / MIB:.0f} MiB, and {quota_bytes // MIB} are kept of a person. "
            f"Nothing was kept; hand in code, or files of up to {LARGE_BYTES // KIB} KiB, such as single steps."
        )
