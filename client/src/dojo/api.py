"""The server, as a Python object: one method a route, exceptions for everything that is not the answer."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from dojo.errors import BadFile, NotADojo, NotFound, ServerError
from dojo.exchange import Exchange, Network, Transferred
from dojo.records import Exercise, Submission, get, read_exercise, read_submission
from dojo.text import printable

SAFETENSORS = "application/vnd.safetensors"

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")
_LOCAL = ("localhost", "127.0.0.1", "::1")


def address_of(text: str) -> str:
    """``dojo.example.org/`` → ``https://dojo.example.org``. Without a scheme: http on this machine, https
    elsewhere."""
    text = text.strip()
    if "://" not in text:
        host = urlsplit(f"//{text}").hostname or ""
        text = f"{'http' if host in _LOCAL else 'https'}://{text}"
    parts = urlsplit(text)
    try:
        bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:  # a port that is no number
        bad = True
    if bad or parts.username or parts.password:
        raise BadFile(f"“{printable(text)}” is no server's address.", "Type it like this: https://dojo.example.org")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))


def travels_open(address: str) -> bool:
    """Whether a token sent to this address could be read on the way."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOCAL


def _course(course: str) -> str:
    """The part of an address that belongs to a course."""
    if not _SLUG.fullmatch(course) or ".." in course:
        raise BadFile(f"“{printable(course)}” is no course.", "See your courses: dojo profile")
    return f"courses/{course}"


def checked_slug(slug: str) -> str:
    """An exercise's slug (topic/name): part of addresses and folder names, so nothing else may be in it."""
    parts = slug.split("/")
    if len(parts) != 2 or not all(_SLUG.fullmatch(part) and ".." not in part for part in parts):
        raise BadFile(f"“{printable(slug)}” is no exercise.", "See which there are: dojo list")
    return slug


class Server:
    """A server and the token for it. The token goes into a header, to this address and to no other: redirects
    are not followed."""

    def __init__(self, address: str, token: str | None = None, network: Network | None = None) -> None:
        self.address = address_of(address)
        self._network = network or Network()
        self._exchange = Exchange(self.address, token, self._network)

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    def close(self) -> None:
        self._exchange.http.close()

    # -- who --------------------------------------------------------------------------------------

    def join(self, code: str, name: str) -> dict[str, Any]:
        """Make an account. Not repeated once the request may have arrived: that would make two."""
        return self._exchange.json("POST", "join", json={"code": code, "name": name}, repeatable=False)

    def me(self) -> dict[str, Any]:
        return self._exchange.json("GET", "me")

    # -- what is asked ----------------------------------------------------------------------------

    def exercises(self, course: str) -> list[Exercise]:
        answer = self._exchange.json("GET", f"{_course(course)}/exercises")
        return [read_exercise(each) for each in get(answer, "exercises", list)]

    def exercise(self, course: str, slug: str) -> Exercise:
        exercise = read_exercise(self._exchange.json("GET", f"{_course(course)}/exercises/{checked_slug(slug)}"))
        if exercise.slug != slug:
            raise NotADojo(
                f"Asked for {slug}, the server answered with another exercise.",
                "Tell your instructor about it.",
            )
        return exercise

    def instance(self, course: str, slug: str) -> dict[str, Any]:
        return self._exchange.json("GET", f"{_course(course)}/exercises/{checked_slug(slug)}/instance")

    def state(
        self, course: str, slug: str, *, have: str | None = None, transferred: Transferred | None = None
    ) -> bytes | None:
        """The forward state as safetensors bytes, or None where the one with digest ``have`` is still the
        right one.

        ``transferred(bytes so far, bytes in all or 0)`` is called as it comes.
        """
        path = f"{_course(course)}/exercises/{checked_slug(slug)}/instance/state"
        headers = {"Accept": SAFETENSORS} | ({"If-None-Match": f'"{have}"'} if have else {})
        return self._exchange.download(path, headers, transferred)

    # -- answers ----------------------------------------------------------------------------------

    def submit_code(self, course: str, slug: str, filename: str, source: str, *, wait: float) -> Submission:
        body = json.dumps({"filename": filename, "source": source}).encode()
        return self._submit(course, slug, body, "application/json", wait, key=str(uuid.uuid4()))

    def submit_tensors(
        self, course: str, slug: str, content: bytes, *, wait: float, key: str | None = None
    ) -> Submission:
        """``key``: the idempotency key of an earlier attempt to send the same bytes."""
        return self._submit(course, slug, content, SAFETENSORS, wait, key=key or str(uuid.uuid4()))

    def _submit(self, course: str, slug: str, body: bytes, kind: str, wait: float, *, key: str) -> Submission:
        answer = self._exchange.json(
            "POST",
            f"{_course(course)}/exercises/{checked_slug(slug)}/submissions",
            params={"wait": f"{wait:g}"},
            content=body,
            headers={"Content-Type": kind, "Idempotency-Key": key},
            timeout=30.0 + wait,
        )
        return read_submission(answer)

    def submission(self, number: int) -> Submission:
        try:
            return read_submission(self._exchange.json("GET", f"submissions/{number}"))
        except NotFound as error:
            raise NotFound(
                f"You have no submission {number}.",
                "See yours: dojo history",
                status=404,
                problem=error.problem,
            ) from error

    def submissions(self, course: str, *, exercise: str | None, limit: int) -> list[Submission]:
        params = {"limit": str(limit)} | ({"exercise": checked_slug(exercise)} if exercise else {})
        answer = self._exchange.json("GET", f"{_course(course)}/submissions", params=params)
        return [read_submission(each) for each in get(answer, "submissions", list)]

    def wait_for(
        self, submission: Submission, *, seconds: float, changed: Callable[[Submission], None] | None = None
    ) -> Submission:
        """Wait until the submission is graded or the time is over; ``changed`` sees every answer on the way. The
        server tells each change; where it does not, or its stream breaks, it is asked."""
        began = self._network.now()
        try:
            for latest in self._told(submission, seconds):
                submission = latest
                if changed:
                    changed(submission)
        except ServerError:
            pass
        pause, waited = 0.2, self._network.now() - began
        while submission.waiting and waited < seconds:
            self._network.sleep(pause)
            waited += pause
            pause = min(pause * 1.3, 2.0)
            submission = self.submission(submission.id)
            if changed:
                changed(submission)
        return submission

    def _told(self, submission: Submission, seconds: float) -> Iterator[Submission]:
        """The submission each time that it changes, the last time when it is graded."""
        if submission.waiting and seconds > 0:
            yield from map(
                read_submission, self._exchange.events(f"submissions/{submission.id}/events", seconds=seconds)
            )
