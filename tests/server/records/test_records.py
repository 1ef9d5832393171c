"""The record of a grade, as the server gives it, replayed without the server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.records.record import BadRecord, Record
from grader.records.replay import differences, main
from grader.sandbox import Sandbox
from server.settings import Settings
from tests.support.servers import SOLUTION, RunningServer, Student, gradients, is_problem


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite: nothing here is about databases."""
    return f"sqlite:///{tmp_path}/dojo.db"


def recorded(server: RunningServer, submission: int) -> bytes:
    """The record of a submission's grade, as staff get it."""
    answer = server.instructor.get(f"/api/v1/submissions/{submission}/record")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="submission-{submission}.record.json"'
    return answer.content


@pytest.fixture
def wrong(server: RunningServer, student: Student) -> bytes:
    """The record of tensors with a mistake."""
    answers = gradients(student.state())
    answers["dprobs"] = -answers["dprobs"]
    return recorded(server, student.submit_tensors(answers).json()["id"])


def test_a_grade_of_tensors_is_the_same_again(server: RunningServer, wrong: bytes, sandbox: Sandbox) -> None:
    record, key = Record.read(wrong)

    assert key == server.client.get("/api/v1/signing-key").json()["key"]
    assert [row["name"] for row in record.rows if row["origin"] == "own"] == ["probs"]
    assert differences(record, sandbox) == []


def test_a_grade_of_code_is_the_same_again(server: RunningServer, student: Student, sandbox: Sandbox) -> None:
    source = SOLUTION.replace("dh = dlogits @ W2.T", "dh = dlogits @ W2.T * 2")
    assert source != SOLUTION
    record, _ = Record.read(recorded(server, student.submit_code(source).json()["id"]))

    assert (record.instance_kind, record.run_status) == ("hidden", "ok")
    assert differences(record, sandbox) == []


def test_a_grade_that_comes_out_otherwise_is_told(
    wrong: bytes, settings: Settings, sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, key = Record.read(wrong)
    rows = [dict(row) | ({"origin": "inherited"} if row["name"] == "probs" else {}) for row in record.rows]
    forged = Record(**vars(record) | {"rows": tuple(rows)})
    (tmp_path / "right").write_bytes(wrong)
    (tmp_path / "forged").write_bytes(forged.signed(settings.key))

    assert differences(forged, sandbox) == ["probs.origin: 'inherited' then, 'own' now"]
    assert differences(Record(**vars(record) | {"rows": ()}), sandbox) == ["0 rows then, 26 now"]
    assert differences(Record(**vars(record) | {"run_status": "ok"}), sandbox) == ["run: ok then, None now"]
    assert main([str(tmp_path / "right"), str(tmp_path / "forged"), "--key", key]) == 1
    out = capsys.readouterr().out
    assert "right: same" in out and "forged: different" in out and "probs.origin" in out


def test_only_the_server_can_write_a_record(wrong: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    envelope = json.loads(wrong)
    envelope["record"]["rows"][2]["verdict"] = "forged"
    (tmp_path / "changed").write_text(json.dumps(envelope))
    record, key = Record.read(wrong)
    (tmp_path / "another").write_bytes(record.signed(b"another server's secret"))

    assert main([str(tmp_path / "changed")]) == 2
    assert "the record was changed" in capsys.readouterr().err
    assert main([str(tmp_path / "another"), "--key", key]) == 2
    assert "Another server signed" in capsys.readouterr().err
    assert main([str(tmp_path / "another")]) == 0
    assert "give --key" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format": 1, "key": "00", "signature": "zz", "record": {}}'],
)
def test_what_is_no_record_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(BadRecord, match="no record"):
        Record.read(content)


def test_another_revision_or_environment_says_nothing(wrong: bytes, sandbox: Sandbox) -> None:
    record, _ = Record.read(wrong)

    with pytest.raises(BadRecord, match="revision 99"):
        differences(Record(**vars(record) | {"revision": 99}), sandbox)
    with pytest.raises(BadRecord, match="environment 'another'"):
        differences(Record(**vars(record) | {"environment": "another"}), sandbox)


def test_a_record_is_for_staff_and_needs_a_grade(server: RunningServer, student: Student, wrong: bytes) -> None:
    record, _ = Record.read(wrong)

    assert is_problem(student.get(f"/api/v1/submissions/{record.submission}/record"), 403)
    server.services.dispatcher.stop()
    waiting = student.submit_code(SOLUTION, wait=0).json()["id"]
    assert is_problem(server.instructor.get(f"/api/v1/submissions/{waiting}/record"), 409)
