"""Rights: who may see and do what, with two courses on one server.

``here`` is a course, ``there`` another one. Nobody of the one has a seat in the other, unless a test gives it to them.
"""

from __future__ import annotations

import pytest
from sqlmodel import select

from server.accounts import accounts
from server.courses import courses, join_codes
from server.tables import AccountRow, InstanceRow, Role, SeatRow, SubmissionRow, TicketRow, TicketState
from tests.support.bodies import COURSE, EMPTY_TENSORS, RUN, SUBMISSION, Named, sent_to
from tests.support.servers import FULL, SOLUTION, Members, RunningServer, Student, is_problem
from tests.support.training import run_beside

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

EXERCISE = f"{COURSE}/exercises/{{pack}}/{{name}}"

# What the owner of a graded submission, a classmate and the instructor of the course are answered.
RIGHTS = {
    ("get", COURSE): (200, 200, 200),
    ("put", f"{COURSE}/assignments/{{pack}}/{{name}}"): (403, 403, 201),
    ("get", f"{COURSE}/assignments/{{pack}}/{{name}}"): (403, 403, 200),
    ("patch", f"{COURSE}/assignments/{{pack}}/{{name}}"): (403, 403, 200),
    ("get", f"{COURSE}/packs"): (403, 403, 200),
    ("put", f"{COURSE}/packs/{{pack}}"): (403, 403, 200),
    ("delete", f"{COURSE}/packs/{{pack}}"): (403, 403, 409),
    ("post", f"{COURSE}/authoring"): (403, 403, 200),
    ("get", f"{COURSE}/assignments"): (403, 403, 200),
    ("put", f"{COURSE}/assignments"): (403, 403, 200),
    ("get", f"{COURSE}/extensions"): (403, 403, 200),
    ("post", f"{COURSE}/extensions"): (403, 403, 201),
    ("delete", f"{COURSE}/extensions/{{id}}"): (403, 403, 200),
    ("get", f"{COURSE}/audit"): (403, 403, 200),
    ("patch", COURSE): (403, 403, 200),
    ("post", f"{COURSE}/copy"): (403, 403, 201),
    ("delete", COURSE): (403, 403, 409),
    ("get", "/api/v1/me"): (200, 200, 200),
    ("get", "/api/v1/me/archive"): (200, 200, 200),
    ("post", "/api/v1/pairing-codes"): (201, 201, 201),
    ("get", f"{COURSE}/exercises"): (200, 200, 200),
    ("get", EXERCISE): (200, 200, 200),
    ("get", f"{EXERCISE}/instance"): (200, 200, 200),
    ("get", f"{EXERCISE}/instance/state"): (200, 200, 200),
    ("get", f"{EXERCISE}/checkpoints/{{checkpoint}}/explanation"): (403, 403, 200),
    ("post", f"{EXERCISE}/submissions"): (201, 201, 201),
    ("post", f"{EXERCISE}/check"): (200, 200, 200),
    ("get", f"{COURSE}/submissions"): (200, 200, 200),
    ("get", SUBMISSION): (200, 404, 200),
    ("get", f"{SUBMISSION}/source"): (200, 404, 200),
    ("get", f"{SUBMISSION}/record"): (403, 404, 200),
    ("get", f"{SUBMISSION}/events"): (200, 404, 200),
    ("post", f"{SUBMISSION}/cancel"): (409, 404, 409),
    ("post", f"{SUBMISSION}/release"): (403, 404, 409),
    ("get", f"{SUBMISSION}/comments"): (200, 404, 200),
    ("post", f"{SUBMISSION}/comments"): (403, 404, 201),
    ("delete", f"{SUBMISSION}/comments/{{comment}}"): (403, 404, 404),
    ("post", f"{COURSE}/comments"): (403, 403, 201),
    ("get", f"{COURSE}/overrides"): (200, 200, 200),
    ("post", f"{COURSE}/overrides"): (403, 403, 404),
    ("delete", f"{COURSE}/overrides/{{id}}"): (403, 403, 404),
    ("get", f"{COURSE}/progress"): (200, 200, 200),
    ("get", f"{COURSE}/analytics"): (403, 403, 200),
    ("get", f"{COURSE}/events"): (403, 403, 200),
    ("get", f"{COURSE}/clusters"): (403, 403, 200),
    ("get", f"{COURSE}/similarity"): (403, 403, 200),
    ("get", f"{COURSE}/sources"): (403, 403, 200),
    ("get", f"{COURSE}/queue"): (403, 403, 200),
    ("get", f"{COURSE}/gradebook"): (403, 403, 200),
    ("post", f"{COURSE}/gradebook"): (403, 403, 200),
    ("get", f"{COURSE}/regrade"): (403, 403, 200),
    ("post", f"{COURSE}/regrade"): (403, 403, 202),
    ("delete", f"{COURSE}/assignments/{{pack}}/{{name}}"): (403, 403, 409),
    ("get", f"{COURSE}/training/runs"): (200, 200, 200),
    ("post", f"{COURSE}/training/runs"): (201, 201, 201),
    ("get", f"{COURSE}/training/ranking"): (200, 200, 200),
    ("get", RUN): (200, 404, 200),
    ("get", f"{RUN}/source"): (200, 404, 200),
    ("post", f"{RUN}/cancel"): (409, 404, 409),
    ("get", f"{RUN}/events"): (200, 404, 200),
    ("post", f"{COURSE}/regrade/{{id}}/accept"): (403, 403, 404),
    ("post", f"{COURSE}/regrade/{{id}}/discard"): (403, 403, 404),
    ("get", f"{COURSE}/people"): (403, 403, 200),
    ("post", f"{COURSE}/people"): (403, 403, 201),
    ("post", f"{COURSE}/people/import"): (403, 403, 200),
    ("patch", f"{COURSE}/people/{{account}}"): (403, 403, 200),
    ("post", f"{COURSE}/people/{{account}}/merge"): (403, 403, 200),
    ("post", f"{COURSE}/people/{{account}}/token"): (403, 403, 201),
    ("post", f"{COURSE}/people/{{account}}/pairing-code"): (403, 403, 201),
    ("delete", f"{COURSE}/people/{{account}}"): (403, 403, 200),
    ("get", f"{COURSE}/join-codes"): (403, 403, 200),
    ("post", f"{COURSE}/join-codes"): (403, 403, 201),
    ("patch", f"{COURSE}/join-codes/{{code}}"): (403, 403, 200),
    ("delete", f"{COURSE}/join-codes/{{code}}"): (403, 403, 200),
}
ADMINS = {("post", "/api/v1/courses"), ("post", "/api/v1/accounts/{id}/erase")}
ANYBODY = {
    ("post", "/api/v1/join"),
    ("post", "/api/v1/open-invitation"),
    ("post", "/api/v1/pair"),
    ("get", "/api/v1/signing-key"),
}

Statuses = dict[tuple[str, str], int]


def statuses(caller: Student, id: int, course: str = "backprop") -> Statuses:
    """What a caller is answered on every route, about a submission of a course."""
    found = {}
    for method, path in RIGHTS:
        pack, _, name = FULL.partition("/")
        places = places_of(caller, course, id)
        of = places["run"] if path.startswith(RUN) else id
        address = path.format(course=course, name=name, id=of, checkpoint="h", pack=pack, comment=99, **places)
        named = Named(id, caller.account, places["into"])
        answer = caller.request(method, address, **sent_to(method.upper(), path, named))
        assert answer.status_code < 400 or is_problem(answer, answer.status_code)
        found[method, path] = answer.status_code
    return found


def places_of(caller: Student, slug: str, submission_id: int) -> dict[str, int]:
    """The numbers of somebody in a course who may be merged, of an instructor, of a join code and a training run."""
    state = caller.client.app.state  # type: ignore[attr-defined]
    with state.services.database.writing() as session:
        course = courses.find_course(session, slug)
        assert course is not None
        seats = select(SeatRow).join(AccountRow).where(SeatRow.course_id == course.id)
        zed = session.exec(seats.where(AccountRow.name == "Zed")).first()
        instructor = session.exec(seats.where(SeatRow.role == Role.INSTRUCTOR)).first()
        return {
            "account": zed.account_id if zed else courses.enrol(session, course, "Zed", Role.STUDENT).account.id,
            "into": instructor.account_id if instructor else 0,
            "code": join_codes.list_codes(session, course)[-1].id,
            "run": run_beside(session, submission_id),
        }


def count(server: RunningServer, table: type[SubmissionRow] | type[InstanceRow]) -> int:
    """How many rows a table has."""
    with server.services.database.reading() as session:
        return len(session.exec(select(table)).all())


def ticket(server: RunningServer, id: int) -> tuple[TicketState, int]:
    """The state of a submission's ticket and its tries, as the database has them."""
    with server.services.database.reading() as session:
        found = session.exec(select(TicketRow).where(TicketRow.submission_id == id)).one()
    return found.state, found.tries


@pytest.fixture
def waiting(server: RunningServer, here: Members) -> int:
    """A submission of the student here that waits for its turn; no worker runs."""
    server.services.dispatcher.stop()
    answer = here.student.submit_code(SOLUTION, wait=0)
    assert answer.status_code == 202
    return int(answer.json()["id"])


@pytest.fixture
def aside(server: RunningServer, waiting: int) -> int:
    """That submission, set aside."""
    with server.services.database.writing() as session:
        kept = session.exec(select(TicketRow).where(TicketRow.submission_id == waiting)).one()
        kept.state, kept.tries, kept.reason = TicketState.QUARANTINED, 3, "the zygote died"
    return waiting


# -- every route -------------------------------------------------------------------------------------------


def test_every_route_has_a_line_in_the_table(server: RunningServer) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]

    routes = {(method, path) for path, methods in paths.items() for method in methods if path.startswith("/api")}

    assert routes == set(RIGHTS) | ADMINS | ANYBODY


def test_owner_classmate_and_instructor_have_their_rights(server: RunningServer, here: Members) -> None:
    classmate = server.join("Bob")
    id = here.student.submit_bytes(EMPTY_TENSORS).json()["id"]

    for place, caller in enumerate((here.student, classmate, here.instructor)):
        assert statuses(caller, id) == {route: by_role[place] for route, by_role in RIGHTS.items()}


@pytest.mark.parametrize("who", ["student", "instructor"])
def test_another_course_is_a_strangers(server: RunningServer, here: Members, there: Members, who: str) -> None:
    id = here.student.submit_bytes(EMPTY_TENSORS).json()["id"]
    before = count(server, SubmissionRow), count(server, InstanceRow)

    found = statuses(getattr(there, who), id)

    own = {("get", "/api/v1/me"): 200, ("get", "/api/v1/me/archive"): 200, ("post", "/api/v1/pairing-codes"): 201}
    assert found == dict.fromkeys(RIGHTS, 404) | own
    assert (count(server, SubmissionRow), count(server, InstanceRow)) == before


@pytest.mark.parametrize("token", ["none", "nonsense", "revoked", "of another scheme"])
def test_without_a_valid_token_every_route_is_closed(server: RunningServer, here: Members, token: str) -> None:
    id = here.student.submit_bytes(EMPTY_TENSORS).json()["id"]
    bearer = here.instructor.token
    if token == "revoked":
        with server.services.database.writing() as session:
            accounts.revoke_tokens(session, here.instructor.account)
    values = {"none": None, "nonsense": "Bearer dojo_nonsense", "revoked": f"Bearer {bearer}"}
    authorization = values.get(token, f"Basic {bearer}")

    for method, path in RIGHTS:
        pack, _, name = FULL.partition("/")
        sent = sent_to(method.upper(), path, Named(id))
        sent["headers"] = sent.get("headers", {}) | ({"Authorization": authorization} if authorization else {})
        places = {"account": 1, "code": 1, "comment": 99}
        address = path.format(course=here.slug, name=name, id=id, checkpoint="h", pack=pack, **places)
        answer = server.client.request(method, address, **sent)

        assert is_problem(answer, 401), path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert count(server, SubmissionRow) == 1


def test_staff_of_another_course_with_a_seat_here_are_students(
    server: RunningServer, here: Members, there: Members
) -> None:
    id = here.student.submit_bytes(EMPTY_TENSORS).json()["id"]
    guest = server.seat(there.instructor, here.slug)

    assert statuses(guest, id) == {route: classmate for route, (_, classmate, _) in RIGHTS.items()}

    rows = guest.get(f"{here.address}/progress").json()["rows"]
    assert [row["student"]["id"] for row in rows] == [guest.account]


def test_a_student_with_a_staff_seat_elsewhere_keeps_both(server: RunningServer, here: Members, there: Members) -> None:
    id = there.student.submit_bytes(EMPTY_TENSORS).json()["id"]
    server.seat(here.student, there.slug, Role.INSTRUCTOR)

    assert statuses(here.student, id, there.slug) == {route: staff for route, (_, _, staff) in RIGHTS.items()}
    assert is_problem(here.student.get(f"{here.address}/analytics"), 403)
    assert here.student.get("/api/v1/me").json()["courses"] == [
        {"slug": "autumn", "title": "Backprop", "role": "instructor"},
        {"slug": "backprop", "title": "Becoming a backprop ninja", "role": "student"},
        {"slug": "spring", "title": "Spring", "role": "instructor"},
    ]


# -- what a refused request leaves behind -------------------------------------------------------------------


def test_who_may_not_release_leaves_the_ticket_aside(
    server: RunningServer, here: Members, there: Members, aside: int
) -> None:
    guest = server.seat(there.instructor, here.slug)
    callers = [here.student, server.join("Bob"), there.student, guest]

    answers = [caller.post(f"/api/v1/submissions/{aside}/release").status_code for caller in callers]

    assert answers == [403, 404, 404, 404]
    assert ticket(server, aside) == (TicketState.QUARANTINED, 3)


def test_the_instructor_releases_it(server: RunningServer, here: Members, aside: int) -> None:
    answer = here.instructor.post(f"/api/v1/submissions/{aside}/release")

    assert (answer.status_code, answer.json()["status"], answer.json()["place"]) == (200, "queued", 1)
    assert ticket(server, aside) == (TicketState.QUEUED, 0)


def test_who_may_not_cancel_leaves_the_ticket_queued(
    server: RunningServer, here: Members, there: Members, waiting: int
) -> None:
    guest = server.seat(there.instructor, here.slug)
    callers = [server.join("Bob"), there.student, guest]

    answers = [caller.post(f"/api/v1/submissions/{waiting}/cancel").status_code for caller in callers]

    assert answers == [404, 404, 404]
    assert ticket(server, waiting) == (TicketState.QUEUED, 0)


@pytest.mark.parametrize("who", ["student", "instructor"])
def test_owner_and_instructor_cancel(server: RunningServer, here: Members, waiting: int, who: str) -> None:
    answer = getattr(here, who).post(f"/api/v1/submissions/{waiting}/cancel")

    assert (answer.status_code, answer.json()["status"], answer.json()["place"]) == (200, "cancelled", None)
    assert ticket(server, waiting) == (TicketState.CANCELLED, 0)


# -- of this course alone ------------------------------------------------------------------------------------


def test_what_was_set_aside_is_listed_in_its_course(here: Members, there: Members, aside: int) -> None:
    for members in (here, there):
        members.student.submit_bytes(EMPTY_TENSORS)

    listed = [members.instructor.get(f"{members.address}/queue").json() for members in (here, there)]

    assert [[each["submission"] for each in queue["quarantined"]] for queue in listed] == [[aside], []]
