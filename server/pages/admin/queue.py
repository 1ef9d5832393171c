"""The queue of a server: what waits and runs, and what was set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Response

from server.accounts.signin import SignedInSession
from server.http.row_id import RowId
from server.pages.admin.access import TheAdmin
from server.pages.forms import TheForm
from server.pages.page import ThePage
from server.pages.route import FRAGMENT_HEADER, page_router
from server.queue import tickets
from server.queue.dispatcher import TheDispatcher
from server.queue.tickets import QueuedSubmission
from server.tables import TicketState

router = page_router()
QUEUE: Final = "/admin/queue"
LISTED_MAX: Final = 100
DONE: Final = {
    "released": "The submission is in the queue again, with all its tries.",
    "not-released": "This submission is neither set aside nor taken out. It may have been released meanwhile.",
    "cancelled": "The submission is taken out of the queue. Its student sees that, and you can release it.",
    "not-cancelled": "This submission does not wait any more, or is of a regrade. Nothing was changed.",
}


@dataclass(frozen=True)
class QueuePage:
    """How many submissions are in each state, and the first of them. ``oldest`` waits longest, regrades aside."""

    counts: Mapping[TicketState, int]
    oldest: datetime | None
    live: Sequence[QueuedSubmission]
    aside: Sequence[QueuedSubmission]

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self.counts.get(TicketState.QUEUED, 0)

    @property
    def running(self) -> int:
        """How many run."""
        return self.counts.get(TicketState.RUNNING, 0)

    @property
    def set_aside(self) -> int:
        """How many were set aside, because their runs were lost."""
        return self.counts.get(TicketState.QUARANTINED, 0)


def read_page(signed_in: SignedInSession) -> QueuePage:
    """Return what the page shows."""
    session = signed_in.session
    live = tickets.list_queue(session, (TicketState.RUNNING, TicketState.QUEUED), LISTED_MAX)
    aside = tickets.list_queue(session, (TicketState.QUARANTINED, TicketState.CANCELLED), LISTED_MAX)
    return QueuePage(tickets.counts(session), tickets.oldest(session), live, aside)


@router.get(QUEUE)
def show_queue(page: ThePage, admin: TheAdmin, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Show the queue; a script looks again every few seconds."""
    template = "admin/queue_state.html" if FRAGMENT_HEADER in page.request.headers else "admin/queue.html"
    with admin.reading() as signed_in:
        return page.render(template, shown=read_page(signed_in), notice=DONE.get(done, ""), listed_max=LISTED_MAX)


@router.post(f"{QUEUE}/{{submission}}/release")
def release(page: ThePage, admin: TheAdmin, form: TheForm, submission: RowId, dispatcher: TheDispatcher) -> Response:
    """Put a submission that was set aside or taken out back into the queue."""
    with admin.writing() as signed_in:
        is_done = dispatcher.requeue(signed_in.session, submission)
    return page.go(f"{QUEUE}?done={'released' if is_done else 'not-released'}")


@router.post(f"{QUEUE}/{{submission}}/cancel")
def cancel(page: ThePage, admin: TheAdmin, form: TheForm, submission: RowId, dispatcher: TheDispatcher) -> Response:
    """Take a submission out of the queue before it is run."""
    with admin.writing() as signed_in:
        is_done = dispatcher.cancel(signed_in.session, submission)
    return page.go(f"{QUEUE}?done={'cancelled' if is_done else 'not-cancelled'}")
