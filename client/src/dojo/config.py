"""Which servers the student belongs to, and where the tokens are kept.

A profile is a server, a course and who the student is there; profiles are in ``profiles.json`` of the config
folder. A token is in the system's keyring where there is a usable one, else in ``tokens.json`` (mode 0600)
beside it. Tokens are filed under the server's address, so that a token is never found for another server."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import click

from dojo.api import address_of
from dojo.errors import BadFile, NotJoined

SERVICE = "backprop-dojo"
JOIN = "dojo join ADDRESS CODE --name NAME"


@dataclass(frozen=True)
class Profile:
    """``student`` is the name that the instructor sees."""

    name: str
    server: str
    course: str
    student_id: str
    student: str


class TokenStore(Protocol):
    """Where tokens are kept. Keys are ``server#student``."""

    @property
    def place(self) -> str:
        """For the student to read: where the token is."""

    def get(self, key: str) -> str | None: ...
    def set(self, key: str, token: str) -> None: ...
    def delete(self, key: str) -> None: ...


class TokenFile:
    """Tokens in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        return f"{self.path} (only you can read it)"

    def get(self, key: str) -> str | None:
        token = self._tokens().get(key)
        return token if isinstance(token, str) else None

    def set(self, key: str, token: str) -> None:
        write_private(self.path, self._tokens() | {key: token})

    def delete(self, key: str) -> None:
        tokens = self._tokens()
        if tokens.pop(key, None) is not None:
            write_private(self.path, tokens)

    def _tokens(self) -> dict[str, Any]:
        # Windows keeps others out by the folder; there the mode says nothing.
        if os.name == "posix" and self.path.exists() and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            self.path.chmod(0o600)
        return read_json(self.path)


class Keyring:
    """Tokens in the system's keyring."""

    place = "your system's keyring"

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def get(self, key: str) -> str | None:
        token = self._backend.get_password(SERVICE, key)
        return token if isinstance(token, str) else None

    def set(self, key: str, token: str) -> None:
        self._backend.set_password(SERVICE, key, token)

    def delete(self, key: str) -> None:
        if self.get(key) is not None:
            self._backend.delete_password(SERVICE, key)


def system_keyring() -> Keyring | None:
    """The system's keyring, or None where the package is not installed or no backend works."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]
        from keyring.errors import KeyringError  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        # The backends "fail" and "null" have priority 0 and below: they only stand in for a real one.
        return Keyring(backend) if backend.priority > 0 else None
    except (KeyringError, RuntimeError, OSError):
        return None


class Tokens:
    """The keyring first, the file where the keyring is missing, locked or broken."""

    def __init__(self, file: TokenFile, keyring: TokenStore | None) -> None:
        self._stores: list[TokenStore] = [keyring, file] if keyring else [file]

    def get(self, key: str) -> str | None:
        for store in self._stores:
            try:
                token = store.get(key)
            except Exception:  # a keyring's backend may raise anything at all, and the file is still there
                continue
            if token:
                return token
        return None

    def set(self, key: str, token: str) -> str:
        """Keep a token; says where."""
        *others, file = self._stores
        for store in others:
            try:
                store.set(key, token)
                return store.place
            except Exception:  # see get
                continue
        file.set(key, token)
        return file.place

    def delete(self, key: str) -> None:
        for store in self._stores:
            try:
                store.delete(key)
            except Exception:  # see get
                continue


class Config:
    """The config folder. ``environ`` overrides what is in it: DOJO_CONFIG_DIR, DOJO_PROFILE, DOJO_SERVER,
    DOJO_COURSE, DOJO_TOKEN."""

    def __init__(self, environ: Mapping[str, str] | None = None, keyring: TokenStore | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.folder = Path(self.environ.get("DOJO_CONFIG_DIR") or click.get_app_dir("backprop-dojo"))
        self.tokens = Tokens(TokenFile(self.folder / "tokens.json"), keyring)

    @property
    def _path(self) -> Path:
        return self.folder / "profiles.json"

    def profiles(self) -> dict[str, Profile]:
        found = read_json(self._path).get("profiles", {})
        try:
            return {name: Profile(name=name, **values) for name, values in found.items()}
        except (TypeError, AttributeError) as error:
            raise BadFile(f"{self._path} is damaged.", f"Delete it, then type: {JOIN}") from error

    def current(self) -> str | None:
        """The name of the profile in use."""
        named = self.environ.get("DOJO_PROFILE") or read_json(self._path).get("current")
        return named if isinstance(named, str) else None

    def profile(self, name: str | None = None) -> Profile | None:
        """The profile of that name, or the one in use. Raises NotJoined for a name that is not there."""
        name = name or self.current()
        if name is None:
            return None
        found = self.profiles().get(name)
        if found is None:
            raise NotJoined(f"There is no profile “{name}”.", "See which there are: dojo profile")
        return found

    def profile_of(self, server: str, course: str | None = None, student: str | None = None) -> Profile | None:
        """A profile of that server, the one that fits best: this student, this course, the one in use."""
        fitting = [each for each in self.profiles().values() if each.server == server]
        fitting.sort(key=lambda each: (each.student_id != student, each.course != course, each.name != self.current()))
        return fitting[0] if fitting else None

    def token(self, profile: Profile) -> str | None:
        return self.tokens.get(_key(profile))

    def keep(self, profile: Profile, token: str) -> str:
        """Keep a profile and its token, and use it from now on. Says where the token is."""
        place = self.tokens.set(_key(profile), token)
        self._write(self.profiles() | {profile.name: profile}, current=profile.name)
        return place

    def use(self, name: str) -> None:
        self._write(self.profiles(), current=name)

    def forget(self, profile: Profile) -> None:
        """Delete a profile and its token from this machine. The account on the server stays."""
        profiles = self.profiles()
        profiles.pop(profile.name, None)
        self.tokens.delete(_key(profile))
        self._write(profiles, current=next(iter(profiles), None))

    def free_name(self, course: str, server: str) -> str:
        """A name for a new profile: the course's, with the server's host where that is taken."""
        taken = self.profiles().get(course)
        return course if taken is None or taken.server == server else f"{course}@{server.partition('://')[2]}"

    def remember_exercises(self, slugs: Sequence[str]) -> None:
        """For the shell's completion, which must not wait for a network."""
        write_private(self.folder / "exercises.json", {"slugs": list(slugs)})

    def remembered_exercises(self) -> list[str]:
        return [each for each in read_json(self.folder / "exercises.json").get("slugs", []) if isinstance(each, str)]

    def _write(self, profiles: Mapping[str, Profile], current: str | None) -> None:
        plain = {name: {k: v for k, v in asdict(each).items() if k != "name"} for name, each in profiles.items()}
        write_private(self._path, {"current": current, "profiles": plain})


def _key(profile: Profile) -> str:
    return f"{profile.server}#{profile.student_id}"


def override(environ: Mapping[str, str]) -> str | None:
    """The server that DOJO_SERVER names."""
    named = environ.get("DOJO_SERVER")
    return address_of(named) if named else None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of ours; an absent file is an empty one. Raises BadFile where it is
    damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise BadFile(f"{path} cannot be read: {error}.", f"Delete it, then type: {JOIN}") from error
    return found if isinstance(found, dict) else {}


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file for its owner alone, whole or not at all: a half-written file of tokens would lock them
    out."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def usable_keyring() -> TokenStore | None:
    """The system's keyring for a real run; none where the config folder was moved, as tests and CI jobs
    do."""
    return None if "DOJO_CONFIG_DIR" in os.environ else system_keyring()
