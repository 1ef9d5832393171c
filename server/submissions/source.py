"""What was handed in, handed out again."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import Response

from server.http.middleware import SAFETENSORS
from server.http.problems import Gone
from server.tables import AnswerKind, SubmissionRow

PYTHON = "text/x-python"
# The bytes are a student's. A browser stores them, and takes them for nothing but what they are called.
_AS_A_FILE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


class Emptied(Gone):
    """What was handed in was emptied: it was old, or its student was erased."""

    title, slug = "Kept no longer", "emptied"


def handed_out(submission: SubmissionRow) -> Response:
    """Return the bytes of a submission as a file to store.

    :raises Emptied: they are kept no longer
    """
    require_kept(submission)
    media_type = SAFETENSORS if submission.kind is AnswerKind.TENSORS else f"{PYTHON}; charset=utf-8"
    # RFC 6266 and RFC 8187: in this form a name may hold any letter, and no quote ends it.
    disposition = f"attachment; filename*=UTF-8''{quote(file_name(submission), safe='')}"
    return Response(submission.body, headers={"Content-Disposition": disposition, **_AS_A_FILE}, media_type=media_type)


def require_kept(submission: SubmissionRow) -> None:
    """Do nothing if what was handed in is still kept.

    :raises Emptied: it is not
    """
    if submission.emptied_at is not None:
        raise Emptied(f"What was handed in as submission {submission.id} is kept no longer. Its grade is.")


def file_name(submission: SubmissionRow) -> str:
    """Return the name for a file of these bytes.

    Of a notebook the student's program sends the code alone, under the notebook's name. That file is a ``.py``.
    """
    if submission.kind is AnswerKind.TENSORS:
        return f"submission-{submission.id}.safetensors"
    return str(PurePosixPath(submission.filename or "solution.py").with_suffix(".py"))
