"""The queue of all courses, as a list."""

from __future__ import annotations

from sqlmodel import select

from server.queue import tickets
from server.tables import SubmissionRow, TicketRow, TicketState
from tests.support.servers import FULL, RunningServer, gradients


def test_the_queue_is_listed_in_its_order_with_names(server: RunningServer) -> None:
    ada, eva = server.join("Ada"), server.open_course("autumn").student
    for student in (ada, eva):
        student.submit_tensors(gradients(student.state()))  # graded at once: no ticket
    server.services.dispatcher.stop()
    with server.services.database.writing() as session:
        for submission in session.exec(select(SubmissionRow)).all():
            is_ada = submission.account_id == ada.id
            state, rank = (TicketState.QUARANTINED, 2) if is_ada else (TicketState.QUEUED, 1)
            account_id = submission.account_id
            session.add(TicketRow(submission_id=submission.id, account_id=account_id, rank=rank, state=state))
        session.flush()

        everything = tickets.list_queue(session, list(TicketState), 10)
        aside = tickets.list_queue(session, [TicketState.QUARANTINED], 10)
        first = tickets.list_queue(session, list(TicketState), 1)

    assert [(each.student, each.course, each.exercise) for each in everything] == [
        ("Student", "autumn", FULL),
        ("Ada", "backprop", FULL),
    ]
    assert [each.student for each in aside] == ["Ada"]
    assert [each.student for each in first] == ["Student"]
