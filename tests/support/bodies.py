"""What a request to each route sends that is right in everything but perhaps its caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.servers import FULL, SAFETENSORS

EMPTY_TENSORS = b"\x02\0\0\0\0\0\0\0{}"
COURSE = "/api/v1/courses/{course}"
SUBMISSION = "/api/v1/submissions/{id}"
RUN = "/api/v1/training/runs/{id}"
ASSIGNMENT = f"{COURSE}/assignments/{{pack}}/{{name}}"


@dataclass(frozen=True)
class Named:
    """What bodies name.

    A submission, a person of the course, whom another is merged into, a student, a new slug, and what is assigned.
    """

    submission: int
    person: int = 1
    into: int = 1
    student: int = 99
    slug: str = "spring"
    exercises: tuple[str, ...] = (FULL,)


def sent_to(method: str, path: str, named: Named) -> dict[str, Any]:
    """Return what to send to a route, as httpx takes it; nothing where it takes no body."""
    route = method, path
    if method == "POST" and path.endswith(("/submissions", "/check")):
        return {"content": EMPTY_TENSORS, "headers": {"Content-Type": SAFETENSORS}}
    if route == ("POST", f"{COURSE}/people/import"):
        return {"content": "name,e-mail\nGrace,grace@example.org\n", "headers": {"Content-Type": "text/csv"}}
    if route == ("POST", f"{COURSE}/gradebook"):
        return {
            "content": b"Student,ID,SIS User ID,SIS Login ID,Section\r\n",
            "headers": {"Content-Type": "text/csv"},
        }
    if route[1] == f"{COURSE}/events":
        return {"params": {"seconds": 0}}  # else it does not end
    body = _bodies(named).get(route, {} if method == "PATCH" else None)
    return {} if body is None else {"json": body}


def _bodies(named: Named) -> dict[tuple[str, str], dict[str, Any]]:
    note = {"text": "Look again."}
    extension = {"exercise": FULL, "due_at": "2100-12-08T22:59:00Z", "reason": "ill", "person": named.person}
    return {
        ("POST", "/api/v1/courses"): {"slug": named.slug, "title": "Spring"},
        ("PATCH", COURSE): {"title": "Backprop"},
        ("POST", f"{COURSE}/copy"): {"slug": named.slug, "title": "Spring", "shift_days": 182},
        ("POST", f"{COURSE}/authoring"): {"given": "", "lines": ""},
        ("PUT", f"{COURSE}/assignments"): {"exercises": list(named.exercises)},
        ("PUT", ASSIGNMENT): {"due_at": "2100-12-01T00:00:00Z"},
        ("PATCH", ASSIGNMENT): {"points": 10},
        ("POST", f"{COURSE}/extensions"): extension,
        ("POST", f"{COURSE}/people"): {"name": "Grace"},
        ("POST", f"{COURSE}/people/{{account}}/merge"): {"into": named.into},
        ("POST", f"{COURSE}/people/{{account}}/token"): {},
        ("POST", f"{COURSE}/people/{{account}}/pairing-code"): {},
        ("POST", f"{COURSE}/join-codes"): {},
        ("POST", f"{SUBMISSION}/comments"): note,
        ("POST", f"{COURSE}/comments"): {**note, "submissions": [named.submission]},
        ("POST", f"{COURSE}/overrides"): {"student": named.student, "exercise": FULL, "points": 1, "reason": "Ill."},
        ("POST", f"{COURSE}/training/runs"): {"source": "def backward(state): return {}", "steps": 10},
        ("POST", "/api/v1/accounts/{id}/erase"): {"name": "Leaving"},
    }
