"""What was handed in comes back byte for byte."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from tests.support.servers import FULL, SAFETENSORS, RunningServer, Student, gradients

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("filename", "stored_as"),
    [
        ("solution.py", "solution.py"),
        ("my lecture.ipynb", "my lecture.py"),
        ('Zoë "1"; x.py', 'Zoë "1"; x.py'),
        ("answers", "answers.py"),
    ],
)
def test_code_comes_back_as_a_file(server: RunningServer, student: Student, filename: str, stored_as: str) -> None:
    source = "# Zoë\r\ndlogits = 1\n"
    address = f"{student.address}/exercises/{FULL}/submissions"
    id = student.post(address, json={"filename": filename, "source": source}).json()["id"]

    answer = student.get(f"/api/v1/submissions/{id}/source")

    assert answer.content == source.encode()
    assert answer.headers["Content-Type"] == "text/x-python; charset=utf-8"
    kind, _, name = answer.headers["Content-Disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(name)) == ("attachment", stored_as)
    assert '"' not in name


def test_tensors_come_back_as_they_were(server: RunningServer, student: Student) -> None:
    submission = student.submit_tensors(gradients(student.state()))

    answer = student.get(f"{submission.headers['Location']}/source")

    assert answer.content == submission.request.content
    assert answer.headers["Content-Type"] == SAFETENSORS
    assert f"submission-{submission.json()['id']}.safetensors" in answer.headers["Content-Disposition"]


def test_a_browser_runs_nothing_of_it(server: RunningServer, student: Student) -> None:
    id = student.submit_code("<script>alert(1)</script>", wait=0).json()["id"]

    headers = student.get(f"/api/v1/submissions/{id}/source").headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
