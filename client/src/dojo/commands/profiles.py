"""The commands ``join``, ``login``, ``logout`` and ``profile``: accounts on this machine."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click

from dojo.api.addresses import is_unencrypted, server_address
from dojo.api.members import required, required_slug
from dojo.api.server import Server
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, command
from dojo.commands.paths import shell_word
from dojo.errors import DojoError, NotJoined
from dojo.profiles.config import Profile
from dojo.profiles.signin import sign_in, sign_in_with_code


@command("join")
@click.argument("address")
@click.argument("code", required=False)
@click.option("--name", help="Your name, as your instructor shall see it. An account that you have keeps its own.")
def join(context: Context, address: str, code: str | None, name: str | None) -> int:
    """Join a course with a code or a personal link.

    Your instructor gave you one of the two.

    If you have an account on that server, the course is added to it. To be somebody else there, add --profile NEW-NAME.

    \b
    Examples:
      dojo join https://dojo.example.org K7QF2-9TXMD --name "Ada"
      dojo join "https://dojo.example.org/join#join_..."
    """
    if code and _is_address(code) and not _is_address(address):
        raise DojoError(
            f"{code} is an address, and the address comes first.",
            f"Type: dojo join {shell_word(code)} {shell_word(address)} --name {shell_word(name or 'NAME')}",
        )
    address, _, invitation = address.partition("#")
    address = server_address(address.rstrip("/").removesuffix("/join") if invitation else address)
    if not code and not invitation:
        raise DojoError("There is no join code.", f"Type: dojo join {address} CODE --name NAME")
    account = None if context.profile else context.config.best_profile(address)
    token = _token_of(context, account) if account else None
    server = context.server(address, token)
    _warn_if_unencrypted(context, server)
    if invitation:
        answer = server.open_invitation(invitation)
    else:
        name = None if account else name or click.prompt("Your name, as your instructor shall see it", err=True)
        answer = server.join(code or "", name)
    return _welcome(context, server, answer, token)


def _welcome(context: Context, server: Server, answer: dict[str, Any], token: str | None) -> int:
    """Store the profile of a course that was joined, and say so. ``token`` is the one that joined, or None."""
    student, course = required(answer, "student", dict), required(answer, "course", dict)
    slug = required_slug(course)
    profile = Profile(
        name=context.profile or context.config.new_name(slug, server.address),
        server=server.address,
        course=slug,
        student_id=str(student.get("id", "")),
        student=required(student, "name", str),
    )
    place = context.config.add(profile, answer.get("token") or token or required(answer, "token", str))
    if context.as_json:
        context.print_json(asdict(profile) | {"token_in": place, "warning": answer.get("warning")})
        return PASSED
    if isinstance(answer.get("warning"), str):
        context.print_note(answer["warning"])
        if token is None:
            context.print_note(f"Then type here what it prints: dojo login {server.address} --code CODE")
    context.screen.print(f"Welcome, {profile.student}. You are in {course.get('title') or slug}.")
    if token is None:
        context.screen.print(f"Your token is in {place}.")
    else:
        context.screen.print("The course is in your account. See all of them: dojo profile")
    context.screen.print("Next: dojo list")
    return PASSED


def _is_address(text: str) -> bool:
    return "://" in text or "." in text or text.startswith("localhost")


def _token_of(context: Context, account: Profile) -> str:
    """Return the token of an account that is on this machine: a second account would hide its answers.

    :raises NotJoined: it is not here
    """
    token = context.config.token(account)
    if token is None:
        raise NotJoined(
            f"You are {account.student} on {account.server} already, and the token is not on this machine.",
            f"Type dojo pair where you are signed in, then here: dojo login {account.server} --code CODE   "
            "To join as somebody else: dojo join … --profile NEW-NAME",
        )
    return token


def _warn_if_unencrypted(context: Context, server: Server) -> None:
    if is_unencrypted(server.address):
        context.print_note(f"Careful: {server.address} is not encrypted, so others on the way can read your token.")


@command("login")
@click.argument("address")
@click.option("--code", help="A pairing code, which dojo pair prints where you are signed in.")
def login(context: Context, address: str, code: str | None) -> int:
    """Use an account that you have already.

    Sign in by a pairing code, or by the account's token.

    Without --code, the token is asked for, or read from standard input.

    \b
    Examples:
      dojo login https://dojo.example.org --code K7QF2-9TXMD
      dojo login https://dojo.example.org
      dojo login https://dojo.example.org < token.txt
    """
    address = server_address(address)
    token = None if code else _read_token()
    server = context.server(address, token)
    _warn_if_unencrypted(context, server)
    if token is None:
        signed_in = sign_in_with_code(context.config, server, code or "", name=context.profile)
    else:
        signed_in = sign_in(context.config, server, token, name=context.profile)
    if context.as_json:
        profiles = [asdict(profile) for profile in reversed(signed_in.profiles)]
        context.print_json({"profiles": profiles, "token_in": signed_in.place})
        return PASSED
    slugs = ", ".join(profile.course for profile in signed_in.profiles)
    context.screen.print(f"You are {signed_in.profiles[0].student}, in {slugs}.")
    context.screen.print(f"Your token is in {signed_in.place}.")
    context.screen.print("Next: dojo list")
    return PASSED


def _read_token() -> str:
    is_terminal = sys.stdin.isatty()
    token = str(click.prompt("Token", hide_input=True, err=True) if is_terminal else sys.stdin.readline()).strip()
    if not token or not token.isascii() or not token.isprintable():
        raise DojoError("That is no token.", "Copy it once more, and type the same again.")
    return token


@command("logout")
def logout(context: Context) -> int:
    """Forget a profile and its token on this machine. Your account on the server stays.

    \b
    Examples:
      dojo logout
      dojo logout --profile autumn-course
    """
    profile = context.config.profile(context.profile)
    if profile is None:
        raise NotJoined("There is nobody to log out.", "See the profiles: dojo profile")
    context.config.remove(profile)
    if context.as_json:
        context.print_json({"forgotten": asdict(profile)})
        return PASSED
    context.screen.print(f"{profile.name} is forgotten here. Your account on the server stays.")
    context.screen.print("To come back, use its token, or a code that dojo pair prints where you are signed in.")
    context.screen.print("Next: dojo profile")
    return PASSED


@command("profile")
@click.argument("name", required=False)
def profile(context: Context, name: str | None) -> int:
    """Show your profiles, or switch to another one.

    \b
    Examples:
      dojo profile
      dojo profile autumn-course
    """
    if name:
        chosen = context.config.profile(name)
        assert chosen is not None
        context.config.use(chosen.name)
    profiles, current = context.config.profiles(), context.config.current_name()
    if context.as_json:
        context.print_json({"current": current, "profiles": [asdict(profile) for profile in profiles.values()]})
        return PASSED
    if not profiles:
        context.screen.print("There is none yet. Type: dojo join ADDRESS CODE --name NAME")
    for profile in profiles.values():
        mark = "*" if profile.name == current else " "
        context.screen.print(f"{mark} {profile.name}: {profile.student} in {profile.course} on {profile.server}")
    return PASSED
