"""The operator's command, ``python -m server``. The commands for a room stand in the room."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import click

from exercises import registry
from exercises.errors import PackError
from server import logs
from server.assignments.commands import assignment, extension
from server.assignments.exercises import UnknownExercise
from server.catalogue.commands import author
from server.command_line import USAGE_ERROR, CommandError, pass_settings
from server.courses import courses
from server.courses.commands import Slug, course, open_course, show_new_course, shown_code
from server.database.migrate import NewerDatabase
from server.database.outage import DatabaseUnavailable
from server.database.setup import prepared_database
from server.feedback.commands import override, submission
from server.gradebook.commands import gradebook
from server.http.problems import Problem
from server.instances.secret import accept_secret, check_secret
from server.lifecycle.commands import COURSE_COMMANDS
from server.machine import limit_arenas
from server.operations.commands import backup, demo, doctor, migrate, restore, show_settings
from server.people.commands import admin, people_, token
from server.preview import preview
from server.privacy.commands import person, retention
from server.queue.commands import queue
from server.regrading.commands import regrade_course
from server.reports.commands import sources
from server.settings import Settings, SettingsError, write_private

INSTRUCTOR_TOKEN_FILE = "instructor.token"
FIRST_COURSE = ("backprop", "Becoming a backprop ninja")


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
    """Prepare database and secret, and open the first course."""
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
    """Run students' code, with DOJO_DISPATCH=procrastinate."""
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
        click.echo(f"In a browser       {address}/join?code={code}")
        click.echo(f"To join            dojo join {address} {code}")

    _serve(settings, settings.host, settings.port, show)


for _command in (
    *(demo, doctor, migrate, show_settings, backup, restore),
    *(course, assignment, extension),
    *(people_, token, admin, person, retention),
    *(submission, override, regrade_course, gradebook, sources),
    queue,
    author,
):
    server.add_command(_command)
for _command in COURSE_COMMANDS:
    course.add_command(_command)
author.add_command(preview)


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
        advice = ""
        if isinstance(error, UnknownExercise):
            error, advice = UnknownExercise(error.asked, registry.exercises()), " docs/exercises.md lists them all."
        click.echo(f"Error: {error.for_page if isinstance(error, Problem) else error}{advice}", err=True)
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
    """Serve until a signal ends it, and exit."""
    from server.serving import Address, serve  # imports torch

    sys.exit(serve(settings, Address(host, port), show))
