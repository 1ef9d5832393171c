"""Tokens: in the system's keyring, else in a file that only its owner can read."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from dojo.profiles import private_json

KEYRING_SERVICE = "backprop-dojo"


class TokenStore(Protocol):
    """A place for tokens. Keys are ``server#student``, so a token is never found for another server."""

    @property
    def place(self) -> str:
        """The place in words, for the student."""

    def get(self, key: str) -> str | None:
        """Return a token, or None."""

    def set(self, key: str, token: str) -> None:
        """Store a token."""

    def delete(self, key: str) -> None:
        """Delete a token, if it is there."""


class TokenFile:
    """Tokens in a file of mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        """The place in words, for the student."""
        return f"{self.path} (only you can read it)"

    def get(self, key: str) -> str | None:
        """Return a token, or None."""
        token = self._tokens().get(key)
        return token if isinstance(token, str) else None

    def set(self, key: str, token: str) -> None:
        """Store a token."""
        private_json.write(self.path, self._tokens() | {key: token})

    def delete(self, key: str) -> None:
        """Delete a token, if it is there."""
        tokens = self._tokens()
        if tokens.pop(key, None) is not None:
            private_json.write(self.path, tokens)

    def _tokens(self) -> dict[str, Any]:
        # On Windows the folder keeps others out, and the mode means nothing.
        if os.name == "posix" and self.path.exists() and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            self.path.chmod(0o600)
        return private_json.read(self.path)


class Keyring:
    """Tokens in the system's keyring."""

    place = "your system's keyring"

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def get(self, key: str) -> str | None:
        """Return a token, or None."""
        token = self._backend.get_password(KEYRING_SERVICE, key)
        return token if isinstance(token, str) else None

    def set(self, key: str, token: str) -> None:
        """Store a token."""
        self._backend.set_password(KEYRING_SERVICE, key, token)

    def delete(self, key: str) -> None:
        """Delete a token, if it is there."""
        if self.get(key) is not None:
            self._backend.delete_password(KEYRING_SERVICE, key)


def system_keyring() -> Keyring | None:
    """Return the system's keyring, or None if the package is not installed or no backend works."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]
        from keyring.errors import KeyringError  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        # The backends "fail" and "null" only stand in for a real one; their priority is 0 or less.
        return Keyring(backend) if backend.priority > 0 else None
    except (KeyringError, RuntimeError, OSError):
        return None


def usable_keyring() -> TokenStore | None:
    """Return the system's keyring, or None if DOJO_CONFIG_DIR is set, as in tests and CI jobs."""
    return None if "DOJO_CONFIG_DIR" in os.environ else system_keyring()


class Tokens:
    """The keyring if it works, and the file otherwise.

    A keyring's backend may raise anything, and then the next store is tried.
    """

    def __init__(self, file: TokenFile, keyring: TokenStore | None) -> None:
        self._file = file
        self._stores: list[TokenStore] = [keyring, file] if keyring else [file]

    def get(self, key: str) -> str | None:
        """Return a token from the first store that has one, or None."""
        for store in self._stores:
            with suppress(Exception):
                if token := store.get(key):
                    return token
        return None

    def set(self, key: str, token: str) -> str:
        """Store a token and return the place in words.

        :raises OSError: neither the keyring nor the file takes it
        """
        for store in self._stores[:-1]:
            with suppress(Exception):
                store.set(key, token)
                return store.place
        self._file.set(key, token)
        return self._file.place

    def delete(self, key: str) -> None:
        """Delete a token from every store."""
        for store in self._stores:
            with suppress(Exception):
                store.delete(key)
