"""Tokens: where they are, and who can read them."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dojo.profiles.config import Config
from dojo.profiles.tokens import system_keyring, usable_keyring
from tests.client.profiles.accounts import ADA, config


class Vault:
    """A keyring, or one that is locked."""

    place = "a vault"

    def __init__(self, *, locked: bool = False) -> None:
        self.locked = locked
        self.kept: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        self._open()
        return self.kept.get(key)

    def set(self, key: str, token: str) -> None:
        self._open()
        self.kept[key] = token

    def delete(self, key: str) -> None:
        self._open()
        self.kept.pop(key, None)

    def _open(self) -> None:
        if self.locked:
            raise RuntimeError("locked")


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps others out by the folder")
def test_the_token_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    config(tmp_path / "new").add(ADA, "secret")
    path = tmp_path / "new" / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    assert config(tmp_path / "new").token(ADA) == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_keyring_is_used_and_nothing_written(tmp_path: Path) -> None:
    vault = Vault()
    assert config(tmp_path, vault).add(ADA, "secret") == "a vault"
    assert config(tmp_path, vault).token(ADA) == "secret"
    assert "secret" not in "".join(each.read_text() for each in tmp_path.iterdir())


def test_a_locked_keyring_gives_way_to_the_file(tmp_path: Path) -> None:
    vault = Vault(locked=True)
    assert "tokens.json" in config(tmp_path, vault).add(ADA, "secret")
    assert config(tmp_path, vault).token(ADA) == "secret"
    config(tmp_path, vault).remove(ADA)
    assert config(tmp_path, vault).token(ADA) is None


def test_a_token_from_before_the_keyring_is_found(tmp_path: Path) -> None:
    config(tmp_path).add(ADA, "secret")
    assert config(tmp_path, Vault()).token(ADA) == "secret"


def test_a_folder_that_was_moved_uses_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Backend())
    monkeypatch.setenv("DOJO_CONFIG_DIR", "elsewhere")
    assert usable_keyring() is None
    monkeypatch.delenv("DOJO_CONFIG_DIR")
    assert usable_keyring() is not None


class Backend:
    """What the package `keyring` hands out, as far as it is used."""

    def __init__(self, priority: float = 5) -> None:
        self.priority = priority
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self.kept[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


def install(monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
    keyring, problems = ModuleType("keyring"), ModuleType("keyring.errors")
    vars(keyring)["get_keyring"] = lambda: backend
    vars(problems)["KeyringError"] = type("KeyringError", (Exception,), {})
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", problems)


def test_the_systems_keyring_keeps_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend()
    install(monkeypatch, backend)
    here = Config({"DOJO_CONFIG_DIR": str(tmp_path)}, system_keyring())
    assert here.add(ADA, "secret") == "your system's keyring"
    assert backend.kept == {("backprop-dojo", "https://dojo.test#7"): "secret"}
    assert here.token(ADA) == "secret"
    here.remove(ADA)
    assert not backend.kept


def test_a_backend_of_priority_0_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Backend(priority=0))
    assert system_keyring() is None


def test_without_the_package_there_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert system_keyring() is None
