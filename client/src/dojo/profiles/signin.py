"""Signing in on this machine with an account that exists already: by its token, or by a pairing code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dojo.api.http import Network
from dojo.api.members import required, required_slug
from dojo.api.server import Server
from dojo.errors import DojoError, NotJoined, Unauthorized
from dojo.profiles.config import Config, Profile

SECRET_NAME = "DOJO_TOKEN"  # in Colab's secrets, and in the environment


@dataclass(frozen=True)
class SignedIn:
    """An account on this machine. It has a profile for each of its courses; the first is in use.

    ``place`` is where the token was stored, in words; empty if it was there already.
    """

    profiles: tuple[Profile, ...]
    place: str


def sign_in(config: Config, server: Server, token: str, *, name: str | None = None) -> SignedIn:
    """Store a token with a profile for each of its account's courses. ``server`` was made with that token.

    ``name`` is for the profile of an account in one course.

    :raises NotJoined: the account is in no course
    """
    account = server.me()
    return _store(config, server.address, token, account, required(account, "courses", list), name)


def sign_in_with_code(config: Config, server: Server, code: str, *, name: str | None = None) -> SignedIn:
    """Sign in with a pairing code, as ``sign_in`` does.

    :raises NotFound: the code is mistyped, was used, or is too old
    :raises NotJoined: the account is in no course
    """
    answer = server.pair(code)
    token, account = required(answer, "token", str), required(answer, "student", dict)
    return _store(config, server.address, token, account, required(answer, "courses", list), name)


def signed_in_already(config: Config, address: str, network: Network | None = None) -> SignedIn | None:
    """Return the account on a server that this machine has a valid token for, or None."""
    profile = config.best_profile(address)
    token = config.token(profile) if profile else None
    if profile is None or token is None:
        return None
    try:
        Server(address, token, network).me()
    except Unauthorized:
        return None
    return SignedIn((profile,), "")


def handed_over_token(config: Config) -> str:
    """Return the token in Colab's secrets, or else in the environment.

    :raises NotJoined: there is none
    """
    token = _colab_secret() or config.environ.get(SECRET_NAME)
    if not token:
        raise NotJoined(
            "There is no token for this notebook yet.",
            f'Type dojo pair where you are signed in, then here: dojo.login(ADDRESS, code="…"). '
            f"In Colab, a secret named {SECRET_NAME} does it too.",
        )
    return token.strip()


def _colab_secret() -> str | None:
    """Return the secret, or None outside Colab and where there is none of this name.

    :raises DojoError: the notebook may not read it
    """
    try:
        from google.colab import userdata  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    try:
        return str(userdata.get(SECRET_NAME))
    except userdata.SecretNotFoundError:
        return None
    except userdata.NotebookAccessError as error:
        raise DojoError(
            f"This notebook may not read the secret {SECRET_NAME} yet.",
            "Open the key on the left, switch its notebook access on, and run this cell again.",
        ) from error
    except Exception as error:  # Colab's page did not answer in time
        raise DojoError(
            f"Colab does not hand over the secret {SECRET_NAME} ({type(error).__name__}).",
            "Run this cell again, with Colab's page open.",
        ) from error


def _store(
    config: Config, address: str, token: str, account: Mapping[str, Any], courses: list[Any], name: str | None
) -> SignedIn:
    if not courses:
        raise NotJoined("This account is in no course yet.", f"Type: dojo join {address} CODE --name NAME")
    profiles: list[Profile] = []
    place = ""
    for course in reversed(courses):  # the first course is added last, so it is in use
        slug = required_slug(course)
        profile_name = name if name and len(courses) == 1 else config.new_name(slug, address)
        student_id = str(account.get("id", ""))
        profiles.insert(0, Profile(profile_name, address, slug, student_id, required(account, "name", str)))
        place = config.add(profiles[0], token)
    return SignedIn(tuple(profiles), place)
