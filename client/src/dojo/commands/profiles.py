"""Who one is, and where: join, login, logout, profile."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from dojo.api import Server, address_of, travels_open
from dojo.commands.frame import PASSED, command
from dojo.config import Profile
from dojo.desk import Desk
from dojo.errors import DojoError, NotJoined
from dojo.records import get


@command("join")
@click.argument("address")
@click.argument("code")
@click.option("--name", required=True, prompt="Your name, as your instructor shall see it", help="Your name.")
def join(desk: Desk, address: str, code: str, name: str) -> int:
    """Join a course with the code that your instructor gave you.

    \b
    Example:
      dojo join https://dojo.example.org K7QF-2MXD --name "Ada"
    """
    server = desk.server(address)
    if desk.profile is None:
        _must_be_new(desk, server)
    _warn_if_open(desk, server)
    answer = server.join(code, name)
    student, course = get(answer, "student", dict), get(answer, "course", dict)
    slug = get(course, "slug", str)
    profile = Profile(
        name=desk.profile or desk.config.free_name(slug, server.address),
        server=server.address,
        course=slug,
        student_id=str(student.get("id", "")),
        student=get(student, "name", str),
    )
    place = desk.config.keep(profile, get(answer, "token", str))
    if desk.as_json:
        desk.answer(asdict(profile) | {"token_in": place})
        return PASSED
    desk.screen.say(f"Welcome, {profile.student}. You are in {course.get('title') or slug}.")
    desk.screen.say(f"Your token is in {place}.")
    desk.screen.say("Next: dojo list")
    return PASSED


def _must_be_new(desk: Desk, server: Server) -> None:
    """A second join makes a second account, and the first one's answers would seem lost."""
    known = desk.config.profile_of(server.address)
    if known is not None:
        raise DojoError(
            f"You are {known.student} in {known.course} on {server.address} already.",
            "Go on with: dojo list   To join once more, as somebody else: dojo join … --profile NEW-NAME",
        )


def _warn_if_open(desk: Desk, server: Server) -> None:
    if travels_open(server.address):
        desk.tell(f"Careful: {server.address} is not encrypted, so your token can be read on the way there.")


@command("login")
@click.argument("address")
def login(desk: Desk, address: str) -> int:
    """Use an account that you have already, by its token.

    The token is asked for, or read from standard input.

    \b
    Examples:
      dojo login https://dojo.example.org
      dojo login https://dojo.example.org < token.txt
    """
    address = address_of(address)
    ask = sys.stdin.isatty()
    token = (click.prompt("Token", hide_input=True, err=True) if ask else sys.stdin.readline()).strip()
    if not token or not token.isascii() or not token.isprintable():
        raise DojoError("That is no token.", "Copy it once more, and type the same again.")
    server = desk.server(address, token)
    _warn_if_open(desk, server)
    me = server.me()
    courses = get(me, "courses", list)
    if not courses:
        raise NotJoined("This account is in no course yet.", f"Type: dojo join {address} CODE --name NAME")
    profiles = []
    place = ""
    for course in reversed(courses):  # the first one is kept last, and so is the one in use
        slug = get(course, "slug", str)
        name = desk.profile if desk.profile and len(courses) == 1 else desk.config.free_name(slug, address)
        profiles.append(Profile(name, address, slug, str(me.get("id", "")), get(me, "name", str)))
        place = desk.config.keep(profiles[-1], token)
    if desk.as_json:
        desk.answer({"profiles": [asdict(each) for each in profiles], "token_in": place})
        return PASSED
    desk.screen.say(f"You are {profiles[-1].student}, in {', '.join(each.course for each in reversed(profiles))}.")
    desk.screen.say(f"Your token is in {place}.")
    desk.screen.say("Next: dojo list")
    return PASSED


@command("logout")
def logout(desk: Desk) -> int:
    """Forget a profile and its token on this machine. Your account on the server stays.

    \b
    Examples:
      dojo logout
      dojo logout --profile autumn-course
    """
    profile = desk.config.profile(desk.profile)
    if profile is None:
        raise NotJoined("There is nobody to log out.", "See the profiles: dojo profile")
    desk.config.forget(profile)
    if desk.as_json:
        desk.answer({"forgotten": asdict(profile)})
        return PASSED
    desk.screen.say(f"{profile.name} is forgotten here. Without its token you cannot come back to that account.")
    desk.screen.say("Next: dojo profile")
    return PASSED


@command("profile")
@click.argument("name", required=False)
def profile(desk: Desk, name: str | None) -> int:
    """Show your profiles, or go over to another one.

    \b
    Examples:
      dojo profile
      dojo profile autumn-course
    """
    if name:
        found = desk.config.profile(name)
        assert found is not None
        desk.config.use(found.name)
    profiles, current = desk.config.profiles(), desk.config.current()
    if desk.as_json:
        desk.answer({"current": current, "profiles": [asdict(each) for each in profiles.values()]})
        return PASSED
    if not profiles:
        desk.screen.say("There is none yet. Type: dojo join ADDRESS CODE --name NAME")
    for each in profiles.values():
        mark = "*" if each.name == current else " "
        desk.screen.say(f"{mark} {each.name}: {each.student} in {each.course} on {each.server}")
    return PASSED
