"""Records of grades, for staff: they hold the numbers that code was graded on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from server.courses.roles import Permission
from server.http.attachment import attachment
from server.http.problems import documented
from server.records.record import RecordSigner
from server.submissions.access import AllowedForSubmission, SubmissionAccess

router = APIRouter(tags=["records"])


class SigningKeyBody(BaseModel):
    """The Ed25519 public key of this server, in hexadecimal."""

    key: str


async def signer(request: Request) -> RecordSigner:
    """Return what writes the application's records."""
    value = request.app.state.record_signer
    assert isinstance(value, RecordSigner)
    return value


TheSigner = Annotated[RecordSigner, Depends(signer)]


@router.get("/signing-key")
async def show_signing_key(signer: TheSigner) -> SigningKeyBody:
    """The key that this server signs records with."""
    return SigningKeyBody(key=signer.key)


@router.get("/submissions/{id}/record", response_class=Response, responses=documented(401, 403, 404, 409, 410, 422))
def read_record(
    access: Annotated[
        SubmissionAccess,
        Depends(AllowedForSubmission(Permission.READ_SUBMISSIONS, Permission.READ_SUBMISSIONS)),
    ],
    signer: TheSigner,
) -> Response:
    """The newest grade with everything that made it, to be replayed by `python -m grader replay`. For staff."""
    with access.reading() as opened:
        content = signer.record(opened.session, opened.submission)
    headers = attachment(f"submission-{access.id}.record.json")
    return Response(content, media_type="application/json", headers=headers)
