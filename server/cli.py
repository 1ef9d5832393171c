"""The operator's command, ``python -m server``. The commands for a room stand in the room."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Sequence

import click
import uvicorn

from exercises.errors import PackError
from server import logs
from server.assignments.commands import assignment, extension
from server.command_line import USAGE_ERROR, CommandError, pass_settings
from server.courses import courses
from server.courses.commands import Slug, course, open_course, show_new_course, shown_code
from server.database.engine import CONNECTIONS_MAX
from server.database.migrate import NewerDatabase
from server.database.outage import DatabaseUnavailable
from server.database.setup import prepared_database
from server.feedback.commands import override, submission
from server.gradebook.commands import gradebook
from server.http.connection import ConnectionLimits, Connections
from server.http.problems import Problem
from server.instances.secret import accept_secret, check_secret
from server.lifecycle.commands import COURSE_COMMANDS
from server.machine import limit_arenas, raise_descriptor_limit
from server.operations.commands import backup, demo, doctor, migrate, restore, show_settings
from server.people.commands import admin, people_, token
from server.privacy.commands import person, retention
from server.queue.commands import queue
from server.regrading.commands import regrade_course
from server.reports.commands import sources
from server.settings import Settings, SettingsError, write_private

INSTRUCTOR_TOKEN_FILE = "instructor.token"
FIRST_COURSE = ("backprop", "Becoming a backprop ninja")
SHUTDOWN_SECONDS = 15
# Descriptors that connections of clients never take: files and pipes, and what each child of the sandbox needs.
DESCRIPTORS_RESERVED = 64
DESCRIPTORS_PER_CHILD = 16
CONNECTIONS_MIN = 8

log = logging.getLogger(__name__)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.pass_context
def server(context: click.Context) -> None:
    """Run a Backprop Dojo server."""
    context.obj = Settings.read()


@server.command()
@click.option("--course", "slug", metavar="SLUG", type=Slug(), default=FIRST_COURSE[0])
@click.option("--title", default=FIRST_COURSE[1])
@click.option("--new-secret", is_flag=True, help="Accept that the secret was changed. Numbers drawn already stay.")
@pass_settings
def init(settings: Settings, slug: str, title: str, new_secret: bool) -> None:
    """Prepare the database and the secret, and open the first course."""
    database = prepared_database(settings)
    if new_secret:
        with database.writing() as session:
            accept_secret(session, settings.key)
    check_secret(database, settings.key)
    with database.writing() as session:
        if courses.find_first_course(session) is not None:
            click.echo("The database is up to date. It has courses already: python -m server course list")
            return
        instructor = open_course(session, slug, title)
        code = shown_code(session, instructor.course)
    show_new_course(instructor, code)


@server.command()
@click.option("--host", help="Address to listen on (DOJO_HOST).")
@click.option("--port", type=int, help="Port to listen on, 0 for any free one (DOJO_PORT).")
@pass_settings
def serve(settings: Settings, host: str | None, port: int | None) -> None:
    """Serve."""
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    _serve(settings, host, port, lambda address: click.echo(f"Serving on {address}"))


@server.command()
@pass_settings
def worker(settings: Settings) -> None:
    """Run students' code for servers with DOJO_DISPATCH=procrastinate."""
    if settings.dispatch != "procrastinate":
        raise CommandError(
            "A worker works with DOJO_DISPATCH=procrastinate only; otherwise the server runs the code itself. "
            "Set it for the server and for its workers."
        )
    from server.services import work  # imports torch

    limit_arenas()
    logs.configure(settings.log)
    sys.exit(work(settings))


@server.command()
@pass_settings
def quickstart(settings: Settings) -> None:
    """Prepare what is missing, print how to enter, and serve.

    The first run opens a course. Every run prints the same token, which is kept in a private file.
    """
    database = prepared_database(settings)
    check_secret(database, settings.key)
    token_file = settings.data / INSTRUCTOR_TOKEN_FILE
    with database.writing() as session:
        first_course = courses.find_first_course(session)
        if first_course is None:
            instructor = open_course(session, *FIRST_COURSE)
            first_course = instructor.course
            write_private(token_file, instructor.token)
        code = shown_code(session, first_course)
    kept = token_file.read_text().strip() if token_file.exists() else None
    token = kept or f"(not kept here: python -m server people token {first_course.slug} WHO)"
    database.close()

    def show(address: str) -> None:
        click.echo(f"Backprop Dojo      {address}")
        click.echo(f"Course             {first_course.title} ({first_course.slug})")
        click.echo(f"Join code          {code}")
        click.echo(f"Instructor's token {token}")
        click.echo(f"To join            dojo join {address} {code}")

    _serve(settings, settings.host, settings.port, show)


for _command in (
    *(demo, doctor, migrate, show_settings, backup, restore),
    *(course, assignment, extension),
    *(people_, token, admin, person, retention),
    *(submission, override, regrade_course, gradebook, sources),
    queue,
):
    server.add_command(_command)
for _command in COURSE_COMMANDS:
    course.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 the call or a setting was wrong."""
    try:
        server.main(
            list(sys.argv[1:] if arguments is None else arguments), prog_name="python -m server", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE_ERROR
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (Problem, SettingsError, PackError, NewerDatabase) as error:
        click.echo(f"Error: {error.detail if isinstance(error, Problem) else error}", err=True)
        return USAGE_ERROR
    except DatabaseUnavailable as outage:
        click.echo(f"Error: The database cannot be used: {outage}.", err=True)
        return 1
    except click.Abort:
        return 1
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def _serve(settings: Settings, host: str, port: int, show: Callable[[str], None]) -> None:
    """Listen, show the address, and serve until a signal ends it."""
    from server.app import create_app  # imports torch

    limit_arenas()
    logs.configure(settings.log)
    settings.refuse_guessable_secrets(host)
    connections = Connections(ConnectionLimits(connections_max=connections_max(settings, raise_descriptor_limit())))
    app = create_app(settings)
    app.state.services.prepare_database()  # here, where what is wrong becomes a sentence; within uvicorn, a traceback
    config = uvicorn.Config(
        app,
        host,
        port,
        http=connections.protocol,  # type: ignore[arg-type]  # called as a class would be
        ws="none",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,  # uvicorn alone would believe whatever comes from 127.0.0.1
        server_header=False,
        log_config=None,
        access_log=False,  # server.http.access_log writes it
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    try:
        _Server(config, show).run()
    except SystemExit:
        sys.exit(1)  # uvicorn exits by itself if it cannot start, with codes of its own


def connections_max(settings: Settings, descriptors: int) -> int:
    """Return how many connections may be open: not so many that the rest runs out of descriptors.

    :raises SettingsError: too few descriptors are left for any
    """
    reserve = DESCRIPTORS_RESERVED + CONNECTIONS_MAX + DESCRIPTORS_PER_CHILD * settings.children
    room = descriptors - reserve
    if room < CONNECTIONS_MIN:
        raise SettingsError(
            f"This process may open too few files: {reserve} are kept in reserve. Raise the limit: ulimit -n 4096"
        )
    if room < settings.connections:
        log.warning("Only %d connections have room, not %d. Raise the limit: ulimit -n", room, settings.connections)
    return min(room, settings.connections)


class _Server(uvicorn.Server):
    """Shows its address once it can be reached."""

    def __init__(self, config: uvicorn.Config, show: Callable[[str], None]) -> None:
        super().__init__(config)
        self._show = show

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and show the address."""
        await super().startup(sockets)
        if self.started:
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            self._show(f"http://{host}:{self.servers[0].sockets[0].getsockname()[1]}")
