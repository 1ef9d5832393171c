"""Everything about the caller as an archive, and erasing an account."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from server.accounts.signin import TheCredentials
from server.http.problems import Forbidden, documented
from server.http.row_id import RowId
from server.http.state import TheDatabase
from server.privacy.archive import archive
from server.privacy.erasure import erase_confirmed
from server.privacy.schemas import ErasedBody, ErasureBody

ZIP = "application/zip"

router = APIRouter(tags=["account"], responses=documented(401))


@router.get("/me/archive", response_class=StreamingResponse, responses={200: {"content": {ZIP: {}}}})
def read_archive(credentials: TheCredentials, database: TheDatabase) -> StreamingResponse:
    """Everything that the server keeps about the caller, as a zip archive; results once they are shown."""
    with credentials.reading() as account:
        account_id = account.account_id
    disposition = 'attachment; filename="backprop-dojo.zip"'
    return StreamingResponse(
        archive(database, account_id, as_shown=True), media_type=ZIP, headers={"Content-Disposition": disposition}
    )


@router.post("/accounts/{id}/erase", responses=documented(403, 404, 409, 422))
def erase_account(credentials: TheCredentials, id: RowId, body: ErasureBody) -> ErasedBody:
    """Erase an account: what names the person goes, and their grades stay as numbers. For admins.

    It cannot be taken back, so the name has to be typed as well.
    """
    with credentials.writing() as caller:
        if not caller.is_admin:
            raise Forbidden("Accounts are erased by an admin. Ask the operator of this server.")
        account = erase_confirmed(caller.session, id, body.name)
        return ErasedBody(id=account.id, erased_at=account.erased_at)
