"""Somebody at a browser without scripts: the TestClient with a session, who sends forms as a page does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any

import httpx2 as httpx
from sqlmodel import Session
from starlette.testclient import TestClient

from server.accounts import accounts
from server.assignments import changes
from server.assignments.changes import Change
from server.courses import courses
from server.courses.access import Actor
from server.http.token_gate import SESSION_COOKIE
from server.pages.forms import FIELD as FORM_FIELD
from server.pages.forms import form_token
from server.services import ServerServices
from server.tables import AssignmentRow, CourseRow, ProgressRow, Role, SeatRow
from tests.support.servers import FULL

FIELD = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">')


@dataclass(frozen=True)
class Desk:
    """A member of a course at a browser."""

    client: TestClient
    token: str
    account: int
    course: str

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Look at a page; one of the course if the path does not begin at the root."""
        return self.client.get(self._address(path), headers=self._headers(), follow_redirects=False, **more)

    def post(self, path: str, fields: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """Send a form of a page of this session."""
        key = self.client.app.state.page_key  # type: ignore[attr-defined]
        return self.send(path, {FORM_FIELD: form_token(key, self.token), **(fields or {})}, **more)

    def send(self, path: str, fields: dict[str, str], **more: Any) -> httpx.Response:
        """Send fields as they are, without the number of a form."""
        headers = self._headers() | more.pop("headers", {})
        return self.client.post(self._address(path), data=fields, headers=headers, follow_redirects=False, **more)

    def _address(self, path: str) -> str:
        return path if path.startswith("/") else f"/courses/{self.course}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"{SESSION_COOKIE}={self.token}"}


@dataclass(frozen=True)
class Office:
    """A server, and a course with its people, which no other test uses."""

    client: TestClient
    services: ServerServices
    slug: str
    instructor: Desk

    def seat(self, name: str, role: Role = Role.STUDENT, section: str | None = None) -> Desk:
        """Give somebody a seat in the course."""
        with self.services.database.writing() as session:
            member = courses.enrol(session, self.row(session), name, role, section)
        return Desk(self.client, member.token, member.account.id, self.slug)

    def admin(self, name: str = "Root") -> Desk:
        """A new admin, without a seat."""
        with self.services.database.writing() as session:
            account = accounts.open_account(session, name)
            account.is_admin = True
            token = accounts.issue_token(session, account.id)
        return Desk(self.client, token, account.id, self.slug)

    def row(self, session: Session) -> CourseRow:
        """The row of the course."""
        course = courses.find_course(session, self.slug)
        assert course is not None
        return course

    def seat_of(self, account: int) -> SeatRow:
        """The seat of somebody in the course."""
        with self.services.database.reading() as session:
            return session.get_one(SeatRow, (self.row(session).id, account))

    def assign(self, exercise: str = FULL, **fields: Any) -> AssignmentRow:
        """Set an assignment, or change these rules of it."""
        with self.services.database.writing() as session:
            plan = changes.plan_change(session, self.row(session), Change(exercise, fields))
            changes.write(session, self.row(session), plan, self.actor)
        return plan.row

    def let_pass(self, account: int, moment: datetime, *, is_inherited: bool = False) -> None:
        """Let somebody's step be exact, or right but for a mistake above it, from a moment on."""
        with self.services.database.writing() as session:
            session.add(
                ProgressRow(
                    course_id=self.row(session).id,
                    account_id=account,
                    exercise=FULL,
                    checkpoint="logits",
                    best="wrong" if is_inherited else "exact",
                    attempts=1,
                    first_passed_at=None if is_inherited else moment,
                    first_exact_at=None if is_inherited else moment,
                    first_inherited_at=moment if is_inherited else None,
                )
            )

    @property
    def actor(self) -> Actor:
        """The instructor, as the one who changes something."""
        return Actor(self.instructor.account)


def hidden(answer: httpx.Response) -> dict[str, str]:
    """The hidden fields of the forms of a page."""
    return {name: unescape(value) for name, value in FIELD.findall(answer.text)}


def said(answer: httpx.Response) -> str:
    """The text of a page in one line, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
