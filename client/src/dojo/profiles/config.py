"""The config folder: the student's profiles, and which of them is in use.

``profiles.json`` holds the profiles, ``exercises.json`` the slugs for the shell's completion. Tokens are elsewhere:
see ``tokens``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from dojo.api.addresses import server_address
from dojo.errors import BadFile, NotJoined
from dojo.profiles import private_json
from dojo.profiles.private_json import JOIN_COMMAND
from dojo.profiles.tokens import TokenFile, Tokens, TokenStore


@dataclass(frozen=True)
class Profile:
    """A server, a course, and the student's account there. ``student`` is the name that the instructor sees."""

    name: str
    server: str
    course: str
    student_id: str
    student: str

    @property
    def token_key(self) -> str:
        """The key of the token: ``server#student``."""
        return f"{self.server}#{self.student_id}"


class Config:
    """The config folder.

    These variables of ``environ`` override it: DOJO_CONFIG_DIR, DOJO_PROFILE, DOJO_SERVER, DOJO_COURSE, DOJO_TOKEN.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, keyring: TokenStore | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.folder = Path(self.environ.get("DOJO_CONFIG_DIR") or click.get_app_dir("backprop-dojo"))
        self.tokens = Tokens(TokenFile(self.folder / "tokens.json"), keyring)
        self._profiles_path = self.folder / "profiles.json"
        self._exercises_path = self.folder / "exercises.json"

    def profiles(self) -> dict[str, Profile]:
        """Return all profiles by their names.

        :raises BadFile: the file is damaged
        """
        entries = private_json.read(self._profiles_path).get("profiles", {})
        try:
            return {name: Profile(name=name, **entry) for name, entry in entries.items()}
        except (TypeError, AttributeError) as error:
            raise BadFile(f"{self._profiles_path} is damaged.", f"Delete it, then type: {JOIN_COMMAND}") from error

    def current_name(self) -> str | None:
        """Return the name of the profile in use, or None."""
        name = self.environ.get("DOJO_PROFILE") or private_json.read(self._profiles_path).get("current")
        return name if isinstance(name, str) else None

    def profile(self, name: str | None = None) -> Profile | None:
        """Return the profile of that name, or the one in use, or None if there is none in use.

        :raises NotJoined: no profile has that name
        """
        name = name or self.current_name()
        if name is None:
            return None
        profile = self.profiles().get(name)
        if profile is None:
            raise NotJoined(f"There is no profile “{name}”.", "See which there are: dojo profile")
        return profile

    def best_profile(self, server: str, course: str | None = None, student_id: str | None = None) -> Profile | None:
        """Return the profile of a server that fits best, or None: by student, then course, then the one in use."""
        current = self.current_name()
        candidates = [profile for profile in self.profiles().values() if profile.server == server]
        return min(
            candidates,
            key=lambda profile: (profile.student_id != student_id, profile.course != course, profile.name != current),
            default=None,
        )

    def token(self, profile: Profile) -> str | None:
        """Return a profile's token, or None."""
        return self.tokens.get(profile.token_key)

    def add(self, profile: Profile, token: str) -> str:
        """Store a profile and its token, and use it from now on. Return where the token is, in words."""
        place = self.tokens.set(profile.token_key, token)
        self._write(self.profiles() | {profile.name: profile}, current=profile.name)
        return place

    def use(self, name: str) -> None:
        """Use a profile from now on."""
        self._write(self.profiles(), current=name)

    def remove(self, profile: Profile) -> None:
        """Delete a profile from this machine, and its token if no other course of the account needs it.

        The account on the server stays.
        """
        profiles = self.profiles()
        profiles.pop(profile.name, None)
        if profile.token_key not in {other.token_key for other in profiles.values()}:
            self.tokens.delete(profile.token_key)
        self._write(profiles, current=next(iter(profiles), None))

    def new_name(self, course: str, server: str) -> str:
        """Return a name for a profile: the course's, with the server's host if another server has that course."""
        namesake = self.profiles().get(course)
        is_free = namesake is None or namesake.server == server
        return course if is_free else f"{course}@{server.partition('://')[2]}"

    def server_override(self) -> str | None:
        """Return the address that DOJO_SERVER names, or None."""
        name = self.environ.get("DOJO_SERVER")
        return server_address(name) if name else None

    def store_exercises(self, slugs: Sequence[str]) -> None:
        """Store slugs for the shell's completion, which must not wait for a network."""
        private_json.write(self._exercises_path, {"slugs": list(slugs)})

    def stored_exercises(self) -> list[str]:
        """Return the slugs for the shell's completion."""
        return [slug for slug in private_json.read(self._exercises_path).get("slugs", []) if isinstance(slug, str)]

    def _write(self, profiles: Mapping[str, Profile], current: str | None) -> None:
        entries = {
            name: {key: value for key, value in asdict(profile).items() if key != "name"}
            for name, profile in profiles.items()
        }
        private_json.write(self._profiles_path, {"current": current, "profiles": entries})
