"""A server in one function: two checkpoints of softmax, graded with torch.

For tests of answers that a real server gives seldom or never.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import safetensors.torch
import torch

from dojo.api.http import Network
from dojo.api.server import Connection, Server

SLUG = "makemore/cross-entropy"
TOKEN = "secret-token-of-ada"
ADDRESS = "https://dojo.test"
INVITATION = "join_ada"
EXPLANATION = ["n flows in.", "The logarithm gives 1 / counts.", "`dcounts = n / counts`: [2, 3]."]
HINTS = ("This is a factor of 2 off.", "Look at the line of loss.", "Look for a factor.")
FORWARD = "counts = logits.exp()\nloss = counts.log().sum() * n"

Answer = Callable[[httpx.Request], "httpx.Response | None"]


def state() -> dict[str, torch.Tensor]:
    logits = torch.arange(6, dtype=torch.float32).view(2, 3)
    return {"logits": logits, "counts": logits.exp(), "Yb": torch.tensor([0, 2]), "n": torch.tensor(2)}


def expected() -> dict[str, torch.Tensor]:
    return {"counts": 2 / state()["counts"], "logits": torch.full((2, 3), 2.0)}


@dataclass
class FakeDojo:
    """A fake server. ``before`` may answer a request instead of it; ``requests`` holds all requests so far."""

    before: Answer | None = None
    waits: int = 0  # a submission is queued in so many answers before it is graded
    ends: str = "graded"  # the last status of a submission
    events: bool = True  # whether there is a stream of events
    breaks_after: int | None = None  # the stream breaks after so many events
    links: bool = True
    warning: str | None = None  # of a join
    withheld: str | None = None  # when feedback shows, as a sentence
    new_token: str | None = None  # of a join with a token
    codes: set[str] = field(default_factory=set)  # for pairing, that wait
    requests: list[httpx.Request] = field(default_factory=list)
    graded: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[int, bytes] = field(default_factory=dict)
    source_name: str | None = None  # instead of the name that was handed in
    checked: list[dict[str, torch.Tensor]] = field(default_factory=list)  # each with its context
    content: bytes = field(default_factory=lambda: safetensors.torch.save(state()))
    headers: dict[str, str] = field(default_factory=lambda: {"Dojo-API": "1"})

    @property
    def network(self) -> Network:
        """The way to this server, on which no time passes."""
        return Network(httpx.MockTransport(self), sleep=lambda _: None)

    @property
    def posted(self) -> httpx.Request:
        """The last answer that was handed in."""
        return [request for request in self.requests if request.url.path.endswith(f"{SLUG}/submissions")][-1]

    @property
    def connection(self) -> Connection:
        """The connection of the student who holds the token."""
        return Connection(Server(ADDRESS, TOKEN, self.network), "autumn", "7")

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.before(request) if self.before else None
        if answer is None:
            answer = self._answer(request)
        answer.headers.update(self.headers)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        if path == "/join":
            return self._join(json.loads(request.content), request.headers.get("Authorization"))
        if path == "/open-invitation":
            if json.loads(request.content)["code"] != INVITATION:
                return problem(
                    404, "This link is incomplete, was used, or is too old. Ask your instructor for a new one."
                )
            return self._join({"code": "CODE", "name": "Ada"}, request.headers.get("Authorization"))
        if path == "/pair":
            if json.loads(request.content)["code"] not in self.codes:
                return problem(404, "This code is not known. Make a new one: dojo pair")
            self.codes.clear()
            courses = [{"slug": "autumn", "title": "Autumn", "role": "student"}]
            return httpx.Response(201, json={"token": TOKEN, "student": {"id": 7, "name": "Ada"}, "courses": courses})
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return problem(401, "This token is not known. Type: dojo login ADDRESS")
        if path == "/pairing-codes":
            self.codes.add("K7QF2-9TXMD")
            return httpx.Response(201, json={"code": "K7QF2-9TXMD", "expires_at": "2026-01-02T03:14:05Z"})
        if path == "/me":
            courses = [{"slug": "autumn", "title": "Autumn", "role": "student"}]
            return httpx.Response(200, json={"id": 7, "name": "Ada", "courses": courses})
        if path == "/courses/autumn/exercises":
            return httpx.Response(200, json={"exercises": [self.exercise()]})
        if path == f"/courses/autumn/exercises/{SLUG}":
            return httpx.Response(200, json=self.exercise())
        if path == f"/courses/autumn/exercises/{SLUG}/instance":
            tensors = {name: {"shape": list(each.shape), "dtype": "float32"} for name, each in state().items()}
            return httpx.Response(200, json={"digest": self.digest, "tensors": tensors})
        if path == f"/courses/autumn/exercises/{SLUG}/instance/state":
            if request.headers.get("If-None-Match") == f'"{self.digest}"':
                return httpx.Response(304)
            return httpx.Response(200, content=self.content)
        if path == f"/courses/autumn/exercises/{SLUG}/checkpoints/counts/explanation":
            return httpx.Response(200, json={"checkpoint": "counts", "lines": EXPLANATION})
        if path == f"/courses/autumn/exercises/{SLUG}/checkpoints/logits/explanation":
            return problem(403, "A step is explained once you have passed it. Hand in dlogits first.")
        if path == f"/courses/autumn/exercises/{SLUG}/submissions":
            return self._submit(request)
        if path == f"/courses/autumn/exercises/{SLUG}/check":
            self.checked.append(safetensors.torch.load(request.content))
            if self.withheld is not None:
                detail = f"{self.withheld} Until then, hand your answers in: they are kept."
                return problem(403, detail, kind="urn:dojo:problem:feedback-withheld")
            return httpx.Response(200, json=grade(self.checked[-1]))
        if path == "/courses/autumn/submissions":
            return httpx.Response(200, json={"submissions": [*map(self._shown, self.graded.values())][::-1]})
        if path.startswith("/submissions/") and path.endswith("/events"):
            return self._events(int(path.split("/")[2]))
        if path.startswith("/submissions/") and path.endswith("/source"):
            return self._source(int(path.split("/")[2]))
        if path.startswith("/submissions/"):
            return self._submission(int(path.rsplit("/", 1)[1]))
        return problem(404, "There is no such thing. See what there is: dojo list")

    def _join(self, asked: dict[str, str], authorization: str | None) -> httpx.Response:
        """Join the course autumn, or with the code SPRING another one; a token that fits stays good."""
        course = "spring" if asked["code"] == "SPRING" else "autumn"
        token: str | None
        if authorization is None:
            token, name = TOKEN, asked["name"]
        elif authorization == f"Bearer {TOKEN}":
            token, name = self.new_token, "Ada"
        else:
            return problem(401, "This token is not known. Type: dojo login ADDRESS")
        joined = {"token": token, "student": {"id": 7, "name": name}, "warning": self.warning}
        return httpx.Response(201, json={**joined, "course": {"slug": course, "title": course.title()}})

    def exercise(self) -> dict[str, Any]:
        link = f"{ADDRESS}/lecture?t=60" if self.links else None
        common = {"lecture_start": 60, "lecture_end": 90, "lecture_url": link, "best": None, "attempts": 0}
        feedback = {} if self.withheld is None else {"feedback": "withheld", "shown_when": self.withheld}
        return feedback | {
            "slug": SLUG,
            "revision": 1,
            "title": "Softmax",
            "summary": "Two steps.",
            "due_at": None,
            "attempts": len(self.graded),
            "passed": 0 if self.withheld is None else None,
            "exact": 0 if self.withheld is None else None,
            "total": 2,
            "statement": "# Softmax\n\nDerive both.",
            "forward": FORWARD,
            "lecture_url": link,
            "constants": {"n": 2},
            "checkpoints": [{"name": name, "shape": [2, 3], **common} for name in ("counts", "logits")],
        }

    def _submit(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        if key not in self.graded:
            if request.headers["Content-Type"] == "application/json":
                asked = json.loads(request.content)
                answers, kind, filename = run(asked["source"]), "code", asked["filename"]
            else:
                answers, kind, filename = safetensors.torch.load(request.content), "tensors", None
            number = len(self.graded) + 1
            self.sources[number] = asked["source"].encode() if kind == "code" else request.content
            self.graded[key] = {
                "id": number,
                "course": "autumn",
                "exercise": SLUG,
                "revision": 1,
                "attempt": number,
                "kind": kind,
                "filename": filename,
                "status": "graded",
                "place": None,
                "created_at": "2026-01-02T03:04:05Z",
                "grade": grade(answers),
            }
        return self._submission(self.graded[key]["id"], status=201)

    def _submission(self, number: int, status: int = 200) -> httpx.Response:
        found = next((each for each in self.graded.values() if each["id"] == number), None)
        if found is None:
            return problem(404, "There is no such submission. See yours: dojo history")
        if self.waits > 0:
            self.waits -= 1
            place = self.waits + 1
            waiting = {**found, "status": "queued", "place": place, "estimate": 2 * place, "grade": None}
            return httpx.Response(202 if status == 201 else 200, json=waiting)
        if self.ends != "graded":
            found = {**found, "status": self.ends, "grade": None}
        return httpx.Response(status, json=self._shown(found))

    def _shown(self, submission: dict[str, Any]) -> dict[str, Any]:
        """A submission as far as feedback shows."""
        grade = submission["grade"]
        if self.withheld is None or grade is None:
            return submission
        names = [row["name"] for row in grade["checkpoints"] if row["verdict"] != "missing"]
        nothing = {"passed": None, "exact": None, "points": None, "checkpoints": [], "handed_in": names}
        return submission | {"grade": grade | nothing | {"feedback": "withheld", "shown_when": self.withheld}}

    def _source(self, number: int) -> httpx.Response:
        (submission,) = (each for each in self.graded.values() if each["id"] == number)
        name = self.source_name or submission["filename"] or f"submission-{number}.safetensors"
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        return httpx.Response(200, headers=headers, content=self.sources[number])

    def _events(self, number: int) -> httpx.Response:
        if not self.events:
            return problem(404, "There is no such thing.")

        def stream() -> Iterator[bytes]:
            sent = 0
            while True:
                if sent == self.breaks_after:
                    raise httpx.ReadError("broken")
                waits = self.waits > 0
                yield b": ping\n\nevent: submission\ndata: " + self._submission(number).content + b"\n\n"
                sent += 1
                if not waits:
                    return

        return httpx.Response(200, headers={"Content-Type": "text/event-stream; charset=utf-8"}, content=stream())


def run(source: str) -> dict[str, Any]:
    compared: dict[str, Any] = {}
    namespace: dict[str, Any] = {
        **state(),
        "n": 2,
        "torch": torch,
        "cmp": lambda s, dt, t=None: compared.update({s: dt}),
    }
    exec(source, namespace)
    return {f"d{name}": namespace.get(f"d{name}") for name in expected()} | {
        f"d{s}": each for s, each in compared.items()
    }


def grade(answers: dict[str, Any]) -> dict[str, Any]:
    rows = [row(name, answers.get(f"d{name}"), right) for name, right in expected().items()]
    return {
        "run": {"status": "ok", "message": "", "stdout": ""},
        "flags": [],
        "passed": sum(each["approximate"] for each in rows),
        "exact": sum(each["exact"] for each in rows),
        "total": len(rows),
        "environment": "fake",
        "checkpoints": rows,
    }


def row(name: str, given: torch.Tensor | None, right: torch.Tensor) -> dict[str, Any]:
    if given is None:
        return {"name": name, "verdict": "missing", "exact": False, "approximate": False, "maxdiff": None}
    exact = torch.equal(given, right)
    near = torch.allclose(given, right)
    return {
        "name": name,
        "verdict": "exact" if exact else "approximate" if near else "wrong",
        "exact": exact,
        "approximate": near,
        "maxdiff": (given - right).abs().max().item(),
        "origin": None if near else "own",
        "diagnosis": [] if near else [{"code": "scale", "message": HINTS[0], "hints": list(HINTS)}],
        "notes": [],
    }


def problem(status: int, detail: str, *, kind: str = "about:blank", **headers: str) -> httpx.Response:
    body = {"type": kind, "title": "No", "status": status, "detail": detail}
    return httpx.Response(
        status,
        content=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/problem+json",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        },
    )
