"""No route takes a query parameter that it does not know."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from server.app import API_PREFIX
from server.http.query import parameter_names
from tests.support.servers import FULL, RunningServer, Student, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_no_route_takes_an_unknown_parameter(server: RunningServer) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]
    pack, _, name = FULL.partition("/")

    for path, operations in paths.items():
        address = path
        for parameter, value in {"course": "backprop", "pack": pack, "name": name}.items():
            address = address.replace(f"{{{parameter}}}", value)
        address = address.replace("{checkpoint}", "h").replace("{", "").replace("}", "").replace("/id", "/1")
        for method in operations:
            answer = server.instructor.client.request(
                method,
                address,
                params={"unknown": "1"},
                headers={"Authorization": f"Bearer {server.instructor_token}"},
                follow_redirects=False,
            )

            assert is_problem(answer, 422), (method, path)
            assert answer.json()["type"] == "urn:dojo:problem:unknown-parameter", (method, path)
            assert "'unknown'" in answer.json()["detail"]


def test_every_route_documents_that_refusal(server: RunningServer) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]

    undocumented = [
        (method, path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "application/problem+json" not in operation["responses"].get("422", {}).get("content", {})
    ]

    assert undocumented == []


def test_the_refusal_names_what_is_taken(student: Student) -> None:
    answer = student.get("/api/v1/courses/backprop/submissions", params={"exercise": FULL, "limt": 3})

    assert is_problem(answer, 422)
    assert "no 'limt'" in answer.json()["detail"] and "limit" in answer.json()["detail"].partition("takes:")[2]


def test_what_is_taken_is_what_is_documented(server: RunningServer) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]
    routers = [each.original_router for each in server.client.app.routes if hasattr(each, "original_router")]  # type: ignore[attr-defined]
    everything = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    routes = [route for route in everything if route.include_in_schema]  # the others are pages

    for route in routes:
        for method in route.methods or ():
            both = {route.path, API_PREFIX + route.path} & set(paths)
            (path,) = (each for each in both if method.lower() in paths[each])
            documented = paths[path][method.lower()].get("parameters", [])
            assert parameter_names(route.dependant) == [each["name"] for each in documented if each["in"] == "query"]
    assert len(routes) > 20


def test_known_parameters_are_taken(student: Student) -> None:
    answer = student.get("/api/v1/courses/backprop/submissions", params={"exercise": FULL, "limit": 3})

    assert answer.status_code == 200


def test_a_nul_is_refused_wherever_it_stands(server: RunningServer) -> None:
    course, instructor = "/api/v1/courses/backprop", server.instructor

    for path in ("progress?section=%00", "audit?exercise=a%00", "extensions?exercise=%00", "assignments/a%00/b"):
        assert is_problem(instructor.get(f"{course}/{path}"), 422), path
    extension = {"exercise": f"{FULL}\0", "due_at": "2030-01-01T00:00:00Z", "reason": "ill", "section": "A"}
    assert is_problem(instructor.post(f"{course}/extensions", json=extension), 422)
