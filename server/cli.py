"""The operator's command: ``python -m server``."""

from __future__ import annotations

import argparse
import logging
import re
import socket
import sys
from collections.abc import Callable
from typing import TypeVar

import uvicorn
from sqlmodel import Session, col, func, select

from server import courses, schema
from server.courses import COURSE_SLUG, Account
from server.db import Database
from server.dispatch import tickets
from server.models import Course, Enrolment, Role, Student, Ticket, TicketState
from server.problems import Problem
from server.settings import Settings, SettingsError, write_private

INSTRUCTOR_TOKEN_FILE = "instructor.token"
FIRST_COURSE = ("backprop", "Becoming a backprop ninja")

# By the number of levels that students are told.
HINTS = (
    "students are told where they went wrong, and not how.",
    "students are told the kind of a mistake.",
    "students are told the kind of a mistake and the line of the forward pass.",
    "students are told the kind of a mistake, the line of the forward pass, and what to look at there.",
)

Number = TypeVar("Number", int, float)
Command = Callable[[argparse.Namespace, Settings], int]


class UsageError(Exception):
    """A command that cannot be done as it was given; the message says what to type instead."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit code 0: done; 1: it failed; 2: the call or a setting was wrong."""
    options = _parser().parse_args(arguments)
    command: Command = options.run
    try:
        return command(options, Settings())
    except Problem as problem:
        print(f"server: {problem.detail}", file=sys.stderr)
    except (UsageError, SettingsError) as error:
        print(f"server: {error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server", description="Run a Backprop Dojo server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = _add(commands, "init", _init, "prepare the database and the secret, and open the first course")
    init.add_argument("--course", metavar="SLUG", type=_slug, default=FIRST_COURSE[0])
    init.add_argument("--title", default=FIRST_COURSE[1])
    serve = _add(commands, "serve", _serve, "serve")
    serve.add_argument("--host", help="address to listen on (DOJO_HOST)")
    serve.add_argument("--port", type=int, help="port to listen on, 0 for any that is free (DOJO_PORT)")
    _add(commands, "worker", _worker, "run students' code for servers with DOJO_DISPATCH=procrastinate")
    _add(commands, "quickstart", _quickstart, "prepare what is missing, print how to get in, and serve")
    _add(commands, "demo", _demo, "grade a right and a wrong answer on a server of its own, and stop")
    _add(commands, "doctor", _doctor, "try in a real child what students' code may and may not do")

    course = commands.add_parser("course", help="courses").add_subparsers(required=True, metavar="COMMAND")
    add = _add(course, "add", _course_add, "open a course; prints its instructor's token and join code")
    add.add_argument("slug", metavar="SLUG", type=_slug)
    add.add_argument("title", metavar="TITLE")
    _add(course, "list", _course_list, "list the courses")
    code = _add(course, "join-code", _course_join_code, "print a course's join code")
    code.add_argument("slug", metavar="SLUG")
    code.add_argument("--new", action="store_true", help="replace it first; nobody loses a seat")

    queue = commands.add_parser("queue", help="the queue").add_subparsers(required=True, metavar="COMMAND")
    _add(queue, "show", _queue_show, "print how many wait, and what was set aside")
    release = _add(queue, "release", _queue_release, "put a submission that was set aside back into the queue")
    release.add_argument("submission", metavar="ID", type=int)

    hints = _add(course, "hints", _course_hints, "print or set how much of a diagnosis students are told")
    hints.add_argument("slug", metavar="SLUG")
    hints.add_argument("--levels", type=_level, metavar="N", help="0: nothing, 1: the kind, 2: the line, 3: all")
    hints.add_argument("--after", type=_attempts, metavar="K", help="attempts at a checkpoint that get the kind alone")
    credit = _add(course, "credit", _course_credit, "print or set what a step earns that only inherits a mistake")
    credit.add_argument("slug", metavar="SLUG")
    credit.add_argument("share", metavar="SHARE", type=_share, nargs="?", help="0: nothing, 1: as much as a right one")

    token = commands.add_parser("token", help="tokens").add_subparsers(required=True, metavar="COMMAND")
    new = _add(token, "new", _token_new, "make a further token for an account, and print it")
    new.add_argument("account", metavar="ID", type=int, help="as the progress of a course shows it")
    revoke = _add(token, "revoke", _token_revoke, "make every token of an account useless")
    revoke.add_argument("account", metavar="ID", type=int)
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Command, help: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    parser.set_defaults(run=run)
    return parser


def _slug(text: str) -> str:
    if len(text) > 64 or not re.fullmatch(COURSE_SLUG, text):
        raise argparse.ArgumentTypeError("a slug has small letters, digits and hyphens, such as backprop-2026")
    return text


def _level(text: str) -> int:
    return _number(text, int, courses.MOST_HINT_LEVELS, "a number of levels")


def _attempts(text: str) -> int:
    return _number(text, int, courses.MOST_HINTS_AFTER, "a number of attempts")


def _share(text: str) -> float:
    return _number(text, float, 1.0, "a share")


def _number(text: str, kind: Callable[[str], Number], most: Number, what: str) -> Number:
    """A number from 0 to ``most``; NaN is none."""
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"{what} is from 0 to {most}, not {text!r}")
    return number


# -- preparing
# ------------------------------------------------------------------------------------------------


def _init(options: argparse.Namespace, settings: Settings) -> int:
    database = _prepared(settings)
    with database.writing() as session:
        if session.exec(select(Course).limit(1)).first() is not None:
            print("The database is up to date. It has courses already: python -m server course list")
            return 0
        account = _open_course(session, options.course, options.title)
    _tell(account)
    return 0


def _prepared(settings: Settings) -> Database:
    """The database, with its newest schema, and a secret beside it."""
    settings.make_secret()
    schema.upgrade(settings.url)
    return Database(settings.url)


def _open_course(session: Session, slug: str, title: str) -> Account:
    """A new course with its instructor."""
    if courses.find_course(session, slug) is not None:
        raise UsageError(f"There is a course {slug!r} already. Choose another slug.")
    return courses.enrol(session, courses.open_course(session, slug, title), "Instructor", Role.INSTRUCTOR)


def _tell(account: Account) -> None:
    print(f"Course             {account.course.title} ({account.course.slug})")
    print(f"Join code          {account.course.join_code}")
    print(f"Instructor's token {account.token}")
    print("The token is shown this once; of it, only a hash is kept.")


# -- serving
# --------------------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    host = settings.host if options.host is None else options.host
    port = settings.port if options.port is None else options.port
    return _run(settings, host, port, lambda address: print(f"Serving on {address}", flush=True))


def _worker(options: argparse.Namespace, settings: Settings) -> int:
    if settings.dispatch != "procrastinate":
        raise UsageError(
            "A worker is of use with DOJO_DISPATCH=procrastinate alone; otherwise the server runs the code itself. "
            "Set it for the server and for its workers."
        )
    from server.worker import work  # brings in torch

    _log_to_stderr()
    return work(settings)


def _quickstart(options: argparse.Namespace, settings: Settings) -> int:
    """The first run opens a course; every run prints the same token, which is kept in a private file."""
    database = _prepared(settings)
    kept = settings.data / INSTRUCTOR_TOKEN_FILE
    with database.writing() as session:
        course = session.exec(select(Course).order_by(col(Course.id)).limit(1)).first()
        if course is None:
            account = _open_course(session, *FIRST_COURSE)
            course = account.course
            write_private(kept, account.token)
    token = kept.read_text().strip() if kept.exists() else "(none kept here: python -m server token new ID)"
    database.close()

    def tell(address: str) -> None:
        print(f"Backprop Dojo      {address}")
        print(f"Course             {course.title} ({course.slug})")
        print(f"Join code          {course.join_code}")
        print(f"Instructor's token {token}")
        print(f"To come in         dojo join {address} {course.join_code}", flush=True)

    return _run(settings, settings.host, settings.port, tell)


def _run(settings: Settings, host: str, port: int, tell: Callable[[str], None]) -> int:
    """Listen, tell the address, and serve until a signal ends it."""
    from server.app import (
        create_app,
    )  # brings in torch, a second and a half that no other command should wait

    _log_to_stderr()
    # Headers, and so tokens, are never in uvicorn's log of requests.
    config = uvicorn.Config(create_app(settings), host, port, server_header=False, timeout_graceful_shutdown=15)
    server = _Server(config, tell)
    server.run()
    return 0 if server.started else 1


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells how it was set up, at every look
    logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it tells of every job


class _Server(uvicorn.Server):
    """Tells its address once it can be reached."""

    def __init__(self, config: uvicorn.Config, tell: Callable[[str], None]) -> None:
        super().__init__(config)
        self._tell = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        if self.started:
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            self._tell(f"http://{host}:{self.servers[0].sockets[0].getsockname()[1]}")


# -- looking after
# --------------------------------------------------------------------------------------------


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    from server.demo import demo

    return demo()


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    from grader.sandbox import Sandbox, SandboxFault
    from grader.sandbox.trusted.doctor import examine

    try:
        with Sandbox(connect=settings.zygote) as sandbox:
            report = examine(sandbox)
    except SandboxFault as fault:
        print(f"doctor: there can be no sandbox here: {fault}", file=sys.stderr)
        return 1
    print(report.table())
    return 0 if report.ok else 1


def _course_add(options: argparse.Namespace, settings: Settings) -> int:
    with _prepared(settings).writing() as session:
        account = _open_course(session, options.slug, options.title)
    _tell(account)
    return 0


def _course_list(options: argparse.Namespace, settings: Settings) -> int:
    seats = func.count(col(Enrolment.student_id)).filter(col(Enrolment.role) == Role.STUDENT)
    listed = select(Course, seats).outerjoin(Enrolment).group_by(col(Course.id)).order_by(Course.slug)
    with _prepared(settings).reading() as session:
        for course, students in session.exec(listed):
            print(f"{course.slug:20s} {course.join_code}  {students:5d} students  {course.title}")
    return 0


def _course_join_code(options: argparse.Namespace, settings: Settings) -> int:
    with _prepared(settings).writing() as session:
        course = _course(session, options.slug)
        if options.new:
            courses.replace_join_code(course)
        print(course.join_code)
    return 0


def _course_hints(options: argparse.Namespace, settings: Settings) -> int:
    with _prepared(settings).writing() as session:
        course = _course(session, options.slug)
        if options.levels is not None:
            course.hint_levels = options.levels
        if options.after is not None:
            course.hints_after = options.after
        print(f"{course.slug}: {HINTS[course.hint_levels]}")
        if course.hint_levels > 1 and course.hints_after:
            attempts = "attempt" if course.hints_after == 1 else f"{course.hints_after} attempts"
            print(f"In the first {attempts} at a checkpoint, the kind alone.")
    return 0


def _course_credit(options: argparse.Namespace, settings: Settings) -> int:
    with _prepared(settings).writing() as session:
        course = _course(session, options.slug)
        if options.share is not None:
            course.inherited_share = options.share
        print(
            f"{course.slug}: a step that is wrong only by what is above it earns {course.inherited_share:g} of a point."
        )
    return 0


def _course(session: Session, slug: str) -> Course:
    course = courses.find_course(session, slug)
    if course is None:
        raise UsageError(f"There is no course {slug!r}. See: python -m server course list")
    return course


def _queue_show(options: argparse.Namespace, settings: Settings) -> int:
    aside = select(Ticket).where(Ticket.state == TicketState.QUARANTINED).order_by(col(Ticket.id))
    with _prepared(settings).reading() as session:
        print(f"{tickets.depth(session)} waiting or running")
        for ticket in session.exec(aside):
            print(f"{ticket.submission_id:8d}  set aside after {ticket.tries} tries: {ticket.reason}")
    return 0


def _queue_release(options: argparse.Namespace, settings: Settings) -> int:
    with _prepared(settings).writing() as session:
        if not tickets.release(session, options.submission):
            raise UsageError(
                f"Submission {options.submission} is neither set aside nor cancelled. See: python -m server queue show"
            )
    # No worker is told from here: the servers and workers look for themselves within a second.
    print(f"Submission {options.submission} is in the queue again.")
    return 0


def _token_new(options: argparse.Namespace, settings: Settings) -> int:
    with _prepared(settings).writing() as session:
        _account(session, options.account)
        token = courses.issue_token(session, options.account)
    print(token)
    return 0


def _token_revoke(options: argparse.Namespace, settings: Settings) -> int:
    with _prepared(settings).writing() as session:
        name = _account(session, options.account).name
        revoked = courses.revoke_tokens(session, options.account)
    print(f"{name}: {revoked} revoked. Make a new one with: python -m server token new {options.account}")
    return 0


def _account(session: Session, id: int) -> Student:
    account = session.get(Student, id)
    if account is None:
        raise UsageError(f"There is no account {id}. The progress of a course shows the ids of its students.")
    return account
