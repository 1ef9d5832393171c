"""What tests of the server have in common: the house and who goes in and out of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import safetensors.torch
import torch
from starlette.testclient import TestClient
from starlette.types import Message
from torch import Tensor

from exercises.catalog import find
from grader.answer import normalise
from grader.sandbox import Job, Run, RunStatus, Sandbox
from grader.sandbox.trusted.doctor import Report
from server.services import Services
from server.workshop import Workshop

FULL = "makemore/full-backward"
EXERCISES = "/api/v1/courses/backprop/exercises"
SAFETENSORS = "application/vnd.safetensors"
SOLUTION = find(FULL).solution


class Straw(Sandbox):
    """A sandbox of straw: runs code where it stands. ``before`` is called with each job, and may raise or
    wait."""

    def __init__(self) -> None:
        self.generation_now = 1
        self.before: Callable[[Job], None] = lambda job: None
        self.jobs: list[Job] = []

    def run(self, job: Job) -> Run:
        """Run a job that a test wrote."""
        self.jobs.append(job)
        self.before(job)
        printed, status, message = io.StringIO(), RunStatus.OK, ""
        names = play(job.state)
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(job.source, job.filename, "exec"), names)
        except Exception as error:
            status, message = RunStatus.ERROR, str(error)
        answers = {slot.name: normalise(names.get("d" + slot.name)) for slot in job.slots}
        return Run(status, message, printed.getvalue(), answers, (), 0.001)

    @property
    def generation(self) -> int:
        """As many as a test says."""
        return self.generation_now

    def close(self) -> None:
        """Nothing was opened."""

    def workshop(self) -> Workshop:
        """The workshop that has this sandbox; its doctor finds nothing."""
        return Workshop(lambda: self, lambda sandbox: Report(()))


def play(state: bytes) -> dict[str, Any]:
    """The names that a student's code finds."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    for name, value in safetensors.torch.load(state).items():
        names[name] = int(value) if value.ndim == 0 and value.dtype is torch.int64 else value
    return names


def gradients(state: bytes) -> dict[str, Tensor]:
    """The right answer on a forward state."""
    names = play(state)
    exec(SOLUTION, names)
    return {each.answer: names[each.answer].clone() for each in find(FULL).checkpoints}


@dataclass
class Student:
    """Somebody with a token."""

    client: TestClient
    token: str
    id: int = 0
    keys: itertools.count[int] = field(default_factory=itertools.count)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET as this account."""
        return self.client.get(path, headers=self._headers(more), **more)

    def submit_code(self, source: str, *, wait: float = 30, exercise: str = FULL, **more: Any) -> httpx.Response:
        """Hand in code."""
        body = {"filename": "solution.py", "source": source}
        address = f"{EXERCISES}/{exercise}/submissions"
        return self.client.post(address, params={"wait": wait}, json=body, headers=self._headers(more), **more)

    def submit_bytes(self, content: bytes, *, exercise: str = FULL, **more: Any) -> httpx.Response:
        """Hand in what claims to be a safetensors file."""
        headers = {"Content-Type": SAFETENSORS} | self._headers(more)
        return self.client.post(f"{EXERCISES}/{exercise}/submissions", content=content, headers=headers, **more)

    def submit_stream(self, headers: dict[str, str], chunks: Iterator[bytes]) -> httpx.Response:
        """Hand in a body piece by piece, each read only when the server asks for it."""
        return asyncio.run(self._stream(self._headers({"headers": headers}), chunks))

    async def _stream(self, headers: dict[str, str], chunks: Iterator[bytes]) -> httpx.Response:
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"{EXERCISES}/{FULL}/submissions",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        sent: list[Message] = []

        async def receive() -> Message:
            chunk = next(chunks, b"")
            return {"type": "http.request", "body": chunk, "more_body": chunk != b""}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.client.app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent)
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body)

    def submit_tensors(self, tensors: dict[str, Tensor], **more: Any) -> httpx.Response:
        """Hand in tensors."""
        return self.submit_bytes(safetensors.torch.save(tensors), **more)

    def state(self, exercise: str = FULL) -> bytes:
        """The forward state of this student's instance."""
        return self.get(f"{EXERCISES}/{exercise}/instance/state").content

    def _headers(self, more: dict[str, Any]) -> dict[str, str]:
        headers: dict[str, str] = more.pop("headers", {})
        return {"Authorization": f"Bearer {self.token}"} | headers


@dataclass
class House:
    """A running server with a course."""

    client: TestClient
    services: Services
    join_code: str
    instructor_token: str

    def join(self, name: str = "Ada") -> Student:
        """A new student."""
        answer = self.client.post("/api/v1/join", json={"code": self.join_code, "name": name})
        assert answer.status_code == 201, answer.text
        return Student(self.client, answer.json()["token"], answer.json()["student"]["id"])

    @property
    def instructor(self) -> Student:
        """The course's instructor."""
        return Student(self.client, self.instructor_token)


def eventually(what: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Whether an answer is a problem of this status that says what to do next."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    return bool(body["detail"].endswith("."))
