"""What is documented of refusals is what happens."""

from __future__ import annotations

import pytest
from starlette.routing import compile_path

from server.http.middleware import SAFETENSORS
from tests.support.servers import EXERCISES, FULL, RunningServer, Student, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

SUBMISSIONS = f"{EXERCISES}/{FULL}/submissions"


def test_an_address_names_every_method_that_it_takes(server: RunningServer) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]
    for path in paths:
        # …/people/import is an address of …/people/{account} too.
        taken = {each.upper() for other in paths if compile_path(other)[0].match(path) for each in paths[other]}
        for method in {"OPTIONS", "PATCH", "TRACE"} - taken:
            refused = server.client.request(method, path)

            assert is_problem(refused, 405)
            assert refused.headers["Allow"].split(", ") == sorted(taken), path


def test_no_route_without_a_token_reads_more_than_a_join(server: RunningServer) -> None:
    large = b'{"code": "' + b"x" * 5000 + b'"}'
    for path, operations in server.client.get("/openapi.json").json()["paths"].items():
        for method in operations:
            answer = server.client.request(method, path, content=large, headers={"Content-Type": "application/json"})

            is_open = not path.startswith("/api") or path == "/api/v1/signing-key"
            assert answer.status_code in ((200, 404, 503) if is_open else (413, 401, 422)), (method, path)


def test_every_refusal_is_documented(server: RunningServer, student: Student) -> None:
    described = server.client.get("/openapi.json").json()["paths"]
    submit = described["/api/v1/courses/{course}/exercises/{pack}/{name}/submissions"]["post"]
    answers = [
        server.client.post(SUBMISSIONS, content=b"x"),
        student.post(SUBMISSIONS, content=b"x", headers={"Content-Type": "text/plain"}),
        student.post(SUBMISSIONS, content=b"x", headers={"Content-Type": SAFETENSORS}),
        student.post(SUBMISSIONS, content=b"x" * (300 * 1024), headers={"Content-Type": "application/json"}),
        student.post(SUBMISSIONS.replace("backprop", "other"), json={"source": ""}),
    ]

    statuses = {str(answer.status_code) for answer in answers}
    assert statuses == {"401", "415", "422", "413", "404"}
    assert statuses | {"400", "408", "431", "500", "503"} <= set(submit["responses"])
    for operations in described.values():
        for operation in operations.values():
            assert all(response["description"] for response in operation["responses"].values())
