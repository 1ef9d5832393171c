"""Handing in: what is kept, what is told, and who may read it."""

from __future__ import annotations

import threading

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from grader.sandbox import Job
from server.tables import SubmissionRow
from tests.support.servers import (
    EXERCISES,
    FULL,
    HOLD_SECONDS,
    PATIENCE_SECONDS,
    SAFETENSORS,
    SOLUTION,
    FakeSandbox,
    Members,
    RunningServer,
    Student,
    gradients,
    is_problem,
)

SUBMISSIONS = f"{EXERCISES}/{FULL}/submissions"


def test_right_tensors_are_graded_at_once(student: Student) -> None:
    answer = student.submit_tensors(gradients(student.state()))
    assert answer.status_code == 201
    told = answer.json()
    assert answer.headers["Location"] == f"/api/v1/submissions/{told['id']}"
    assert (told["attempt"], told["kind"], told["status"], told["place"]) == (1, "tensors", "graded", None)
    grade = told["grade"]
    assert (grade["passed"], grade["exact"], grade["total"], grade["run"]) == (26, 26, 26, None)
    assert "kernels=default" in grade["environment"]
    assert grade["checkpoints"][0] == {
        "name": "logprobs",
        "verdict": "exact",
        "exact": True,
        "approximate": True,
        "maxdiff": 0.0,
        "ulps": 0,
        "mismatched": 0,
        "worst": None,
        "origin": None,
        "inherits_constant": False,
        "diagnosis": [],
        "notes": [],
    }
    assert told.items() <= student.get(answer.headers["Location"]).json().items()


def test_right_code_is_graded_on_the_hidden_instance(server: RunningServer, fake_sandbox: FakeSandbox) -> None:
    student = server.join()
    answer = student.submit_code("print('hello')\n" + SOLUTION)
    assert answer.status_code == 201
    grade = answer.json()["grade"]
    assert grade["exact"] == 26
    assert grade["run"] == {"status": "ok", "message": "", "stdout": "hello\n", "hidden": True}
    assert fake_sandbox.jobs[-1].state != student.state()
    assert answer.json().items() <= student.get(answer.headers["Location"]).json().items()


def test_memorised_numbers_are_wrong_as_code_and_somebody_elses_are_wrong_as_tensors(server: RunningServer) -> None:
    student, bob = server.join("Ada"), server.join("Bob")
    known = gradients(student.state())["dlogits"].tolist()
    by_heart = student.submit_code(f"dlogits = torch.tensor({known})").json()["grade"]
    assert [row["verdict"] for row in by_heart["checkpoints"] if row["name"] == "logits"] == ["wrong"]
    copied = bob.submit_tensors(gradients(student.state())).json()["grade"]
    assert copied["exact"] == 0


def test_code_that_raises_keeps_the_rows_that_it_had_got_to(server: RunningServer) -> None:
    source = SOLUTION.replace("dh = ", "raise ValueError('\\0 enough')\ndh = ")
    grade = server.join().submit_code(source).json()["grade"]
    assert grade["run"]["status"] == "error"
    assert grade["run"]["message"] == "\N{SYMBOL FOR NULL} enough"
    assert [row["verdict"] for row in grade["checkpoints"]][:9] == ["exact"] * 8 + ["missing"]


def test_what_was_handed_in_is_kept_to_the_byte(server: RunningServer) -> None:
    source = "# é \N{GRINNING FACE}\r\n\tdlogits = None"
    id = server.join().submit_code(source).json()["id"]
    with server.services.database.reading() as session:
        kept = session.get_one(SubmissionRow, id)
    assert kept.body == source.encode()
    assert kept.filename == "solution.py"
    assert kept.created_at.tzinfo is not None


def test_without_waiting_code_is_acknowledged_with_its_place(server: RunningServer, fake_sandbox: FakeSandbox) -> None:
    student, bob = server.join("Ada"), server.join("Bob")
    running, gate = threading.Event(), threading.Event()

    def hold(job: Job) -> None:
        running.set()
        gate.wait(HOLD_SECONDS)

    fake_sandbox.before = hold
    first = student.submit_code("", wait=0)
    assert first.status_code == 202
    assert running.wait(PATIENCE_SECONDS)
    second, third = bob.submit_code("", wait=0), student.submit_code("", wait=0)
    told = student.get(first.headers["Location"]).json()
    assert (told["status"], told["place"], told["grade"]) == ("running", None, None)
    assert [each.json()["place"] for each in (second, third)] == [1, 2]
    assert third.json()["attempt"] == 2
    gate.set()
    assert bob.submit_code("").status_code == 201
    assert student.get(first.headers["Location"]).json()["status"] == "graded"


# -- the same request twice ---------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_submission(server: RunningServer, student: Student) -> None:
    headers = {"Idempotency-Key": "one"}
    tensors = [student.submit_tensors({"dlogits": torch.zeros(32, 27)}, headers=headers) for _ in range(2)]
    headers = {"Idempotency-Key": "two"}
    code = [student.submit_code("dlogits = 1", headers=headers) for _ in range(2)]
    for first, again in (tensors, code):
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
    with server.services.database.reading() as session:
        assert len(session.exec(select(SubmissionRow)).all()) == 2


def test_a_key_is_of_one_answer_of_one_student(server: RunningServer) -> None:
    student, bob = server.join("Ada"), server.join("Bob")
    headers = {"Idempotency-Key": "one"}
    first = student.submit_code("dlogits = 1", headers=headers)
    assert is_problem(student.submit_code("dlogits = 2", headers=headers), 422)
    assert is_problem(student.submit_code("dlogits = 1", exercise="makemore/cross-entropy", headers=headers), 422)
    assert is_problem(student.submit_tensors({}, headers=headers), 422)
    assert bob.submit_code("dlogits = 1", headers=headers).json()["id"] != first.json()["id"]


def test_a_key_is_of_one_filename(server: RunningServer, student: Student) -> None:
    server.services.dispatcher.stop()  # or a grade may be faster than the answer, which is 201 then
    headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}

    first = student.submit_bytes(b'{"source": "", "filename": "a.py"}', headers=headers)
    other = student.submit_bytes(b'{"source": "", "filename": "b.py"}', headers=headers)

    assert first.status_code == 202
    assert is_problem(other, 422)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "a\tb"])
def test_a_key_is_short_and_printable(server: RunningServer, key: str) -> None:
    assert is_problem(server.join().submit_code("", headers={"Idempotency-Key": key}), 422)


# -- who may read -------------------------------------------------------------------------------------------


def test_a_submission_is_read_by_its_owner_and_by_staff(server: RunningServer) -> None:
    student, eve = server.join("Ada"), server.join("Eve")
    told = student.submit_code(SOLUTION).json()
    address = f"/api/v1/submissions/{told['id']}"
    assert told.items() <= student.get(address).json().items()
    assert told.items() <= server.instructor.get(address).json().items()
    assert is_problem(eve.get(address), 404)
    assert is_problem(server.client.get(address), 401)
    absent = eve.get("/api/v1/submissions/999999").json()
    assert eve.get(address).json()["title"] == absent["title"]


def test_history_is_ones_own_newest_first_without_rows(server: RunningServer) -> None:
    student = server.join("Ada")
    server.join("Bob").submit_code("")
    made = [
        student.submit_code("").json()["id"],
        student.submit_tensors({}).json()["id"],
        student.submit_code("", exercise="makemore/cross-entropy").json()["id"],
    ]
    listed = student.get("/api/v1/courses/backprop/submissions").json()["submissions"]
    assert [each["id"] for each in listed] == made[::-1]
    assert [each["attempt"] for each in listed] == [1, 2, 1]
    assert listed[1]["grade"]["passed"] == 0
    assert "checkpoints" not in listed[1]["grade"]
    of_one = student.get("/api/v1/courses/backprop/submissions", params={"exercise": FULL, "limit": 1}).json()
    assert [each["id"] for each in of_one["submissions"]] == [made[1]]


def test_the_list_of_exercises_counts(student: Student) -> None:
    student.submit_tensors({"dlogits": gradients(student.state())["dlogits"]})
    student.submit_tensors({"dh": torch.zeros(32, 64)})
    full = student.get(EXERCISES).json()["exercises"][0]
    assert (full["attempts"], full["passed"], full["exact"], full["total"]) == (2, 1, 1, 26)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_approximate_step_counts_as_passed(student: Student) -> None:
    student.submit_tensors({"dlogits": gradients(student.state())["dlogits"] + 1e-9})

    full = student.get(EXERCISES).json()["exercises"][0]

    assert (full["attempts"], full["passed"], full["exact"]) == (1, 1, 0)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_another_students_work_is_not_counted(server: RunningServer, student: Student) -> None:
    bob = server.join("Bob")
    bob.submit_tensors({"dlogits": gradients(bob.state())["dlogits"]})

    full = student.get(EXERCISES).json()["exercises"][0]

    assert (full["attempts"], full["passed"], full["exact"]) == (0, 0, 0)
    assert student.get("/api/v1/courses/backprop/submissions").json() == {"submissions": []}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_each_course_counts_its_own_attempts(server: RunningServer, here: Members, there: Members) -> None:
    abroad = server.seat(here.student, there.slug)
    right = {"dlogits": gradients(abroad.state())["dlogits"]}
    made = [here.student.submit_tensors(right).json() for _ in range(2)]

    one = abroad.submit_tensors({}).json()

    assert ([each["attempt"] for each in made], one["attempt"]) == ([1, 2], 1)
    assert (made[0]["course"], one["course"]) == ("backprop", "autumn")
    for student, ids, counted in (
        (here.student, [made[1]["id"], made[0]["id"]], (2, 1)),
        (abroad, [one["id"]], (1, 0)),
    ):
        listed = student.get(f"{student.address}/submissions").json()["submissions"]
        full = student.get(f"{student.address}/exercises").json()["exercises"][0]
        assert [each["id"] for each in listed] == ids
        assert (full["attempts"], full["passed"]) == counted


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_key_is_of_one_course(server: RunningServer, here: Members, there: Members) -> None:
    key = {"Idempotency-Key": "one"}
    abroad = server.seat(here.student, there.slug)
    here.student.submit_tensors({}, headers=key)

    assert is_problem(abroad.submit_tensors({}, headers=key), 422)


# -- what cannot be taken -----------------------------------------------------------------------------------


def test_only_tensors_and_code_are_taken(student: Student) -> None:
    for content_type in ("text/plain", "application/octet-stream", "multipart/form-data", ""):
        answer = student.submit_bytes(b"{}", headers={"Content-Type": content_type})
        assert is_problem(answer, 415)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"source": 1}',
        b'{"source": "", "filename": ""}',
        b'{"source": "", "filename": "a/../b.py"}',
        b'{"source": "", "filename": "a\\u0000b"}',
        b'{"source": "\\ud800"}',
        b'{"source": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_json_that_is_no_code_is_refused(server: RunningServer, body: bytes) -> None:
    answer = server.join().submit_bytes(body, headers={"Content-Type": "application/json"})
    assert is_problem(answer, 422)


def test_code_that_is_too_long_is_refused(student: Student) -> None:
    assert student.submit_code("#" * 64 * 1024).status_code == 201
    assert is_problem(student.submit_code("#" * 64 * 1024 + "#"), 413)
    assert is_problem(student.submit_code("é" * 32 * 1024 + "é"), 413)


@pytest.mark.parametrize(("kind", "limit"), [(SAFETENSORS, 8 * 1024 * 1024), ("application/json", 256 * 1024)])
def test_a_body_that_is_announced_too_large_is_refused_unread(server: RunningServer, kind: str, limit: int) -> None:
    read: list[bytes] = []
    chunks = (read.append(chunk) or chunk for chunk in [b"x"])  # type: ignore[func-returns-value]
    headers = {"Content-Type": kind, "Content-Length": str(limit + 1)}
    assert is_problem(server.join().submit_stream(headers, chunks), 413)
    assert read == []


def test_a_body_that_grows_too_large_is_refused_half_read(server: RunningServer) -> None:
    read: list[int] = []
    chunks = (read.append(1) or b"x" * 1024 * 1024 for _ in range(64))  # type: ignore[func-returns-value]
    assert is_problem(server.join().submit_stream({"Content-Type": SAFETENSORS}, chunks), 413)
    assert len(read) == 9


def header(text: str, data: bytes = b"") -> bytes:
    """A safetensors file with this header."""
    return len(text.encode()).to_bytes(8, "little") + text.encode() + data


WHOLE = safetensors.torch.save({"dlogits": torch.zeros(32, 27), "dh": torch.ones(32, 64)})
LYING = [
    b"",
    b"\0" * 7,
    b"\0" * 8,
    b"\xff" * 8,
    (2**63).to_bytes(8, "little") + b"{}",
    header("{"),
    header("[]"),
    header('{"dlogits": 1}'),
    header('{"dlogits": {"dtype": "F32", "shape": [1000000000], "data_offsets": [0, 4000000000]}}'),
    header('{"dlogits": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', b"1234"),
    header('{"dlogits": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', b"1234"),
    header('{"dlogits": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}', b"1234"),
    header('{"dlogits": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}', b"1234"),
    header('{"dlogits": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 0]}}'),
    header(  # overlapping
        '{"dlogits": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},'
        ' "dh": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]}}',
        b"123456",
    ),
    header("[" * 50_000),
    WHOLE[:-1],
    WHOLE + b"\0",
]


@pytest.mark.parametrize("content", LYING)
def test_a_file_that_lies_is_a_problem(server: RunningServer, content: bytes) -> None:
    assert is_problem(server.join().submit_bytes(content), 422)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(cut=st.integers(0, len(WHOLE)), spot=st.integers(0, 200), noise=st.binary(max_size=20))
def test_a_broken_file_is_graded_or_a_problem_but_never_a_mistake_of_ours(
    student: Student, cut: int, spot: int, noise: bytes
) -> None:
    content = WHOLE[:spot] + noise + WHOLE[spot + len(noise) : cut]
    answer = student.submit_bytes(content)
    assert answer.status_code == 201 or is_problem(answer, 422)


def test_tensors_of_every_odd_kind_are_graded(server: RunningServer) -> None:
    odd = {
        "dlogprobs": torch.full((32, 27), float("nan")),
        "dprobs": torch.full((32, 27), float("inf")),
        "dcounts": torch.zeros(32, 27, dtype=torch.int64),
        "dcounts_sum": torch.zeros(0, 7),
        "dlogits": torch.zeros(32, 27, dtype=torch.complex64),
        "dh": torch.full((32, 64), 3e38),
        "hpreact": torch.zeros(32, 64, dtype=torch.bfloat16),
        "nonsense": torch.zeros(3),
    }
    student = server.join()
    rows = {row["name"]: row for row in student.submit_tensors(odd).json()["grade"]["checkpoints"]}
    told = {name: rows[name]["verdict"] for name in ("logprobs", "probs", "counts", "counts_sum", "logits", "h")}
    assert told == {
        "logprobs": "not_finite",
        "probs": "not_finite",
        "counts": "dtype",
        "counts_sum": "shape",
        "logits": "dtype",
        "h": "wrong",
    }
    assert rows["hpreact"]["verdict"] == "wrong"
    assert rows["W1"]["verdict"] == "missing"
