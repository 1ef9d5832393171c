"""The server as a Python object: one method for each route, exceptions for everything but the answer."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from dojo.api.addresses import checked_slug, checkpoint_path, course_path, exercise_path, server_address
from dojo.api.http import PROBLEM, HttpClient, Network, Transferred
from dojo.api.members import one_line, refuse, required, required_slug
from dojo.api.responses import (
    Exercise,
    Explanation,
    Grade,
    Submission,
    read_exercise,
    read_explanation,
    read_grade,
    read_submission,
)
from dojo.api.training import RankedRun, TrainingPlan, TrainingRun, read_ranking, read_training_run, read_training_runs
from dojo.errors import BadFile, DojoError, NotADojo, NotFound, ServerError, Unreachable
from dojo.text import printable

SAFETENSORS = "application/vnd.safetensors"

_PAIRING_CODE = re.compile(r"[A-Z0-9-]{8,32}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,256}")  # becomes part of a header

UNKNOWN_EXERCISE = (f"{PROBLEM}unknown-exercise", f"{PROBLEM}not-assigned")
CLOSE_SLUGS_MAX = 3  # that an unknown exercise may have been meant for
CLOSENESS_MIN = 0.7  # of two names, from 0 to 1, as difflib counts it

POLL_SECONDS_MIN = 0.2  # between questions for a grade, if the server sends no events
POLL_SECONDS_MAX = 2.0
POLL_GROWTH = 1.3
POLL_FAILURES_MAX = 20  # one after another, while a training run is followed: about a minute
STREAM_SECONDS = 3600.0  # of events about a training run, before they are asked for anew


class Server:
    """A server and the token for it. Every method raises ServerError if the answer is an error."""

    def __init__(self, address: str, token: str | None = None, network: Network | None = None) -> None:
        self.address = server_address(address)
        self._network = network or Network()
        self._client = HttpClient(self.address, token, self._network)

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    # -- account ----------------------------------------------------------------------------------

    def join(self, code: str, name: str | None = None) -> dict[str, Any]:
        """Join a course, with the account of this server's token or with a new one of this name.

        Not repeated once the request may have arrived: that would create two accounts.
        """
        asked = {"code": code} if name is None else {"code": code, "name": name}
        body = _checked_join(self._client.json("POST", "join", json=asked, repeatable=False))
        if name is not None:  # a new account, which nobody can enter without it
            _check_token(body)
        return body

    def open_invitation(self, code: str) -> dict[str, Any]:
        """Open a personal link, once; with this server's token, its account gets what the link opens."""
        return _checked_join(self._client.json("POST", "open-invitation", json={"code": code}, repeatable=False))

    def me(self) -> dict[str, Any]:
        """Return the account and its courses."""
        body = self._client.json("GET", "me")
        _check_account(body)
        for course in required(body, "courses", list):
            _check_course(course)
        return body

    def new_pairing_code(self) -> tuple[str, str]:
        """Make a one-time code that signs this account in elsewhere. Return it, and when it expires (ISO 8601).

        It replaces the code before. It is shown within a command to type, so it must look like a code.
        """
        body = self._client.json("POST", "pairing-codes")
        code, expires_at = required(body, "code", str), required(body, "expires_at", str)
        if not _PAIRING_CODE.fullmatch(code):
            raise refuse("code")
        return code, expires_at

    def pair(self, code: str) -> dict[str, Any]:
        """Use a pairing code: the answer has a token. Not repeated once the request may have arrived."""
        body = self._client.json("POST", "pair", json={"code": code}, repeatable=False)
        _check_account(required(body, "student", dict))
        for course in required(body, "courses", list):
            _check_course(course)
        _check_token(body)
        return body

    # -- exercises --------------------------------------------------------------------------------

    def exercises(self, course: str) -> list[Exercise]:
        """Return the exercises of a course, without statements and checkpoints."""
        body = self._client.json("GET", f"{course_path(course)}/exercises")
        return [read_exercise(entry) for entry in required(body, "exercises", list)]

    def exercise(self, course: str, slug: str) -> Exercise:
        """Return one exercise with its statement and checkpoints.

        :raises DojoError: the course has none of this name; the error says which are like it
        """
        try:
            exercise = read_exercise(self._client.json("GET", exercise_path(course, slug)))
        except (BadFile, NotFound) as error:
            raise self.with_close_names(course, slug, error) from error
        if exercise.slug != slug:
            raise NotADojo(
                f"Asked for {slug}, the server answered with another exercise.",
                "Tell your instructor about it.",
            )
        return exercise

    def with_close_names(self, course: str, typed: str, error: DojoError) -> DojoError:
        """Return an error about an exercise that was typed wrongly, with those of the course that are like it."""
        if isinstance(error, NotFound) and error.problem not in UNKNOWN_EXERCISE:
            return error
        slugs = [each.slug for each in self.exercises(course)]
        if isinstance(error, NotFound) and error.problem == UNKNOWN_EXERCISE[0]:
            error.message = f"There is no exercise “{printable(typed)}” in this course."  # the server names others, too
        close = close_to(typed, slugs)
        if close:
            error.next_step = f"Did you mean {' or '.join(close)}? See all: dojo list"
        return error

    def explanation(self, course: str, slug: str, checkpoint: str) -> Explanation:
        """Return why the gradient of a step is what it is. The server tells it once the step has passed."""
        path = f"{checkpoint_path(course, slug, checkpoint)}/explanation"
        return read_explanation(self._client.json("GET", path))

    def instance(self, course: str, slug: str) -> dict[str, Any]:
        """Return the digest of the student's forward state, and name → shape and dtype."""
        return self._client.json("GET", f"{exercise_path(course, slug)}/instance")

    def state(
        self, course: str, slug: str, *, known_digest: str | None = None, transferred: Transferred | None = None
    ) -> bytes | None:
        """Return the forward state as safetensors bytes, or None if ``known_digest`` is still current."""
        headers = {"Accept": SAFETENSORS}
        if known_digest:
            headers["If-None-Match"] = f'"{known_digest}"'
        return self._client.download(f"{exercise_path(course, slug)}/instance/state", headers, transferred)

    # -- submissions ------------------------------------------------------------------------------

    def submit_code(self, course: str, slug: str, filename: str, source: str, *, wait: float) -> Submission:
        """Submit code. The server answers when it is graded, after ``wait`` seconds at the latest."""
        body = json.dumps({"filename": filename, "source": source}).encode()
        return self._submit(course, slug, body, _submission_headers("application/json", None), wait)

    def submit_tensors(
        self, course: str, slug: str, content: bytes, *, wait: float, key: str | None = None
    ) -> Submission:
        """Submit safetensors bytes. ``key`` is the idempotency key of an earlier attempt with the same bytes."""
        return self._submit(course, slug, content, _submission_headers(SAFETENSORS, key), wait)

    def _submit(self, course: str, slug: str, body: bytes, headers: dict[str, str], wait: float) -> Submission:
        answer = self._client.json(
            "POST",
            f"{exercise_path(course, slug)}/submissions",
            params={"wait": f"{wait:g}"},
            content=body,
            headers=headers,
            timeout=30.0 + wait,
        )
        return read_submission(answer)

    def check_tensors(self, course: str, slug: str, content: bytes) -> Grade:
        """Have safetensors bytes graded without handing them in: nothing is kept, and it is no attempt."""
        headers = {"Content-Type": SAFETENSORS}
        path = f"{exercise_path(course, slug)}/check"
        return read_grade(self._client.json("POST", path, content=content, headers=headers))

    def submission(self, number: int) -> Submission:
        """Return one submission."""
        try:
            return read_submission(self._client.json("GET", f"submissions/{number}"))
        except NotFound as error:
            raise NotFound(
                f"You have no submission {number}.",
                "See yours: dojo history",
                status=404,
                problem=error.problem,
            ) from error

    def source(self, number: int) -> tuple[bytes, str]:
        """Return what was handed in, byte for byte, and the name for a file of it."""
        return self._client.file(f"submissions/{number}/source")

    def submissions(self, course: str, *, exercise: str | None, limit: int) -> list[Submission]:
        """Return the student's submissions, the newest first, without the rows of their grades."""
        try:
            params = {"student": "me", "limit": str(limit)} | ({"exercise": checked_slug(exercise)} if exercise else {})
            body = self._client.json("GET", f"{course_path(course)}/submissions", params=params)
        except (BadFile, NotFound) as error:
            raise self.with_close_names(course, exercise or "", error) from error
        return [read_submission(entry) for entry in required(body, "submissions", list)]

    def wait_for(
        self, submission: Submission, *, seconds: float, changed: Callable[[Submission], None] | None = None
    ) -> Submission:
        """Wait until the submission is graded or the time is over, and return its latest state.

        The server sends an event for each change. If it sends none or the stream breaks, it is asked again and
        again. ``changed`` gets every state on the way.
        """
        changed = changed or (lambda _: None)
        began = self._network.now()
        try:
            for latest in self._event_states(submission, seconds):
                submission = latest
                changed(submission)
        except ServerError:
            pass
        pause, waited = POLL_SECONDS_MIN, self._network.now() - began
        while submission.waiting and waited < seconds:
            self._network.sleep(pause)
            waited += pause
            pause = min(pause * POLL_GROWTH, POLL_SECONDS_MAX)
            submission = self.submission(submission.id)
            changed(submission)
        return submission

    # -- training ---------------------------------------------------------------------------------

    def start_training(self, course: str, filename: str, source: str, plan: TrainingPlan) -> TrainingRun:
        """Start a training run. Not repeated once the request may have arrived: one run goes on at a time."""
        path = f"{course_path(course)}/training/runs"
        return read_training_run(self._client.json("POST", path, json=plan.body(filename, source), repeatable=False))

    def training_runs(self, course: str) -> list[TrainingRun]:
        """Return the student's training runs, the newest first."""
        return read_training_runs(self._client.json("GET", f"{course_path(course)}/training/runs"))

    def training_run(self, number: int) -> TrainingRun:
        """Return one training run."""
        return read_training_run(self._client.json("GET", f"training/runs/{number}"))

    def cancel_training(self, number: int) -> TrainingRun:
        """Cancel a training run at the end of its chunk."""
        return read_training_run(self._client.json("POST", f"training/runs/{number}/cancel"))

    def training_ranking(self, course: str) -> list[RankedRun]:
        """Return the ranking of the course."""
        return read_ranking(self._client.json("GET", f"{course_path(course)}/training/ranking"))

    def follow_training(self, run: TrainingRun) -> Iterator[TrainingRun]:
        """Yield a run after each chunk, until it has ended.

        The server sends an event for each. If it sends none or the stream breaks, it is asked again and again.

        :raises Unreachable: the server cannot be reached any more
        """
        pause, failures = POLL_SECONDS_MIN, 0
        while run.is_active:
            begun = run
            try:
                for body in self._client.events(f"training/runs/{run.id}/events", seconds=STREAM_SECONDS):
                    run = read_training_run(body)
                    yield run
            except ServerError:
                pass
            if not run.is_active:
                return
            pause = POLL_SECONDS_MIN if run is not begun else min(pause * POLL_GROWTH, POLL_SECONDS_MAX)
            self._network.sleep(pause)
            try:
                run, failures = self.training_run(run.id), 0
            except Unreachable:  # it may start anew; the run goes on meanwhile
                failures += 1
                if failures == POLL_FAILURES_MAX:
                    raise
                continue
            yield run

    def _event_states(self, submission: Submission, seconds: float) -> Iterator[Submission]:
        """Yield the submission after each change, as the server's events tell it."""
        if submission.waiting and seconds > 0:
            events = self._client.events(f"submissions/{submission.id}/events", seconds=seconds)
            yield from map(read_submission, events)


def close_to(typed: str, slugs: Iterable[str]) -> list[str]:
    """Return the slugs whose names are most like what was typed, with or without a pack."""
    slugs_of: dict[str, list[str]] = {}
    for slug in slugs:
        slugs_of.setdefault(slug.rpartition("/")[2], []).append(slug)
    names = get_close_matches(typed.rpartition("/")[2], slugs_of, CLOSE_SLUGS_MAX, CLOSENESS_MIN)
    return [slug for name in names for slug in slugs_of[name]][:CLOSE_SLUGS_MAX]


def _checked_join(body: dict[str, Any]) -> dict[str, Any]:
    """Check the answer to a join. The token is null if the caller's is still good."""
    _check_account(required(body, "student", dict))
    _check_course(required(body, "course", dict))
    if body.get("token") is not None:
        _check_token(body)
    return body


def _check_token(body: dict[str, Any]) -> None:
    if not _TOKEN.fullmatch(required(body, "token", str)):
        raise refuse("token")


def _check_account(body: dict[str, Any]) -> None:
    """Check what is shown and stored of an account."""
    required(body, "id", int)
    body["name"] = one_line(required(body, "name", str))


def _check_course(body: Any) -> None:
    """Check what is shown and stored of a course."""
    required_slug(body)
    body["title"] = one_line(required(body, "title", str)) if body.get("title") is not None else ""


def _submission_headers(media_type: str, key: str | None) -> dict[str, str]:
    return {"Content-Type": media_type, "Idempotency-Key": key or str(uuid.uuid4())}


@dataclass(frozen=True)
class Connection:
    """A server and a course on it. ``student`` is the student's id, or None if no profile says it."""

    server: Server
    course: str
    student: str | None
