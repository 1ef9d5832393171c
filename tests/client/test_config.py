"""Profiles and tokens: where they are, who can read them, and to which server a token goes."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from dojo import errors
from dojo.config import Config, Profile, system_keyring, usable_keyring
from dojo.connection import connect
from dojo.workspace import Workspace

ADA = Profile("autumn", "https://dojo.test", "autumn", "7", "Ada")
BOB = Profile("bob", "https://dojo.test", "autumn", "8", "Bob")
EVE = Profile("other", "https://other.test", "spring", "9", "Eve")


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


def config(folder: Path, keyring: Vault | None = None, **environ: str) -> Config:
    return Config({"DOJO_CONFIG_DIR": str(folder), **environ}, keyring)


def folder_of(profile: Profile) -> Workspace:
    return Workspace(
        Path("here"), "a/b", 1, profile.course, profile.server, profile.student_id, "0" * 64, checkpoints=()
    )


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps others out by the folder")
def test_the_token_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    config(tmp_path / "new").keep(ADA, "secret")
    path = tmp_path / "new" / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    assert config(tmp_path / "new").token(ADA) == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_keyring_is_used_and_nothing_written(tmp_path: Path) -> None:
    vault = Vault()
    assert config(tmp_path, vault).keep(ADA, "secret") == "a vault"
    assert config(tmp_path, vault).token(ADA) == "secret"
    assert "secret" not in "".join(each.read_text() for each in tmp_path.iterdir())


def test_a_locked_keyring_gives_way_to_the_file(tmp_path: Path) -> None:
    vault = Vault(locked=True)
    assert "tokens.json" in config(tmp_path, vault).keep(ADA, "secret")
    assert config(tmp_path, vault).token(ADA) == "secret"
    config(tmp_path, vault).forget(ADA)
    assert config(tmp_path, vault).token(ADA) is None


def test_a_token_of_before_the_keyring_is_still_found(tmp_path: Path) -> None:
    config(tmp_path).keep(ADA, "secret")
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
    assert here.keep(ADA, "secret") == "your system's keyring"
    assert backend.kept == {("backprop-dojo", "https://dojo.test#7"): "secret"}
    assert here.token(ADA) == "secret"
    here.forget(ADA)
    assert not backend.kept


def test_what_only_stands_in_for_a_keyring_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Backend(priority=0))
    assert system_keyring() is None


def test_without_the_package_there_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert system_keyring() is None


def test_profiles_are_kept_and_the_last_is_in_use(tmp_path: Path) -> None:
    for profile in (ADA, EVE):
        config(tmp_path).keep(profile, profile.student)
    assert config(tmp_path).profile() == EVE
    config(tmp_path).use("autumn")
    assert config(tmp_path).profile() == ADA
    assert config(tmp_path, DOJO_PROFILE="other").profile() == EVE
    config(tmp_path).forget(ADA)
    assert config(tmp_path).profiles() == {"other": EVE}
    assert config(tmp_path).profile() == EVE
    config(tmp_path).forget(EVE)
    assert config(tmp_path).profile() is None


def test_the_profile_that_fits_a_folder_best_is_used(tmp_path: Path) -> None:
    spring = replace(ADA, name="spring", course="spring")
    for profile in (ADA, spring, BOB):
        config(tmp_path).keep(profile, profile.name)
    here = config(tmp_path)
    assert here.profile_of(ADA.server, "spring", "7") == spring
    assert here.profile_of(ADA.server, "autumn", "7") == ADA
    assert here.profile_of(ADA.server, "spring", "8") == BOB
    assert here.profile_of(ADA.server) == BOB
    here.use("spring")
    assert here.profile_of(ADA.server) == spring
    assert here.profile_of("https://nowhere.test") is None


def test_a_profile_has_the_name_of_its_course(tmp_path: Path) -> None:
    assert config(tmp_path).free_name("autumn", "https://dojo.test") == "autumn"
    config(tmp_path).keep(ADA, "secret")
    assert config(tmp_path).free_name("autumn", "https://dojo.test") == "autumn"
    assert config(tmp_path).free_name("autumn", "https://other.test") == "autumn@other.test"


def test_a_file_of_something_else_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text("[1]")
    assert config(tmp_path).profiles() == {}


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "tokens.json" / "full").mkdir(parents=True)
    with pytest.raises(errors.BadFile):
        config(tmp_path).keep(ADA, "secret")
    (tmp_path / "exercises.json" / "full").mkdir(parents=True)
    with pytest.raises(OSError):  # noqa: PT011 (which one it is depends on the system)
        config(tmp_path).remember_exercises(["a/b"])
    assert {each.name for each in tmp_path.iterdir()} == {"tokens.json", "exercises.json"}


def test_a_damaged_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text("{")
    with pytest.raises(errors.BadFile, match="dojo join"):
        config(tmp_path).profiles()


def test_nobody_joined(tmp_path: Path) -> None:
    with pytest.raises(errors.NotJoined, match="dojo join"):
        connect(config(tmp_path))


def token_of(here: Config, folder: Workspace | None = None, profile: str | None = None) -> tuple[str, str | None]:
    connection = connect(here, workspace=folder, profile=profile)
    return connection.server.address, connection.server._exchange.http.headers.get("Authorization")


def test_environment_overrides_the_profile(tmp_path: Path) -> None:
    config(tmp_path).keep(ADA, "ada")
    ci = config(tmp_path, DOJO_SERVER="ci.test", DOJO_TOKEN="ci", DOJO_COURSE="autumn")
    assert token_of(ci) == ("https://ci.test", "Bearer ci")


def test_a_profiles_token_never_goes_to_the_server_of_the_environment(tmp_path: Path) -> None:
    config(tmp_path).keep(ADA, "ada")
    with pytest.raises(errors.NotJoined, match=r"no token for https://ci\.test"):
        connect(config(tmp_path, DOJO_SERVER="ci.test", DOJO_COURSE="autumn"))


def test_a_folder_gets_the_token_of_its_own_server_and_student(tmp_path: Path) -> None:
    for profile in (EVE, BOB, ADA):
        config(tmp_path).keep(profile, profile.student)
    assert token_of(config(tmp_path), folder_of(EVE)) == ("https://other.test", "Bearer Eve")
    assert token_of(config(tmp_path), folder_of(BOB)) == ("https://dojo.test", "Bearer Bob")


def test_a_folder_of_an_unknown_server_gets_no_token(tmp_path: Path) -> None:
    config(tmp_path).keep(ADA, "ada")
    foreign = folder_of(Profile("x", "https://evil.test", "autumn", "7", "Ada"))
    for here in (config(tmp_path), config(tmp_path, DOJO_TOKEN="secret")):
        with pytest.raises(errors.NotJoined, match=r"evil\.test"):
            connect(here, workspace=foreign)


def test_the_token_of_the_environment_does_not_follow_a_folder_to_another_server(tmp_path: Path) -> None:
    for profile in (EVE, ADA):
        config(tmp_path).keep(profile, profile.student)
    here = config(tmp_path, DOJO_TOKEN="ci")
    assert token_of(here, folder_of(EVE)) == ("https://other.test", "Bearer Eve")
    assert token_of(here, folder_of(ADA)) == ("https://dojo.test", "Bearer ci")


def test_a_named_profile_and_a_folder_of_another_server_disagree(tmp_path: Path) -> None:
    for profile in (EVE, ADA):
        config(tmp_path).keep(profile, profile.student)
    with pytest.raises(errors.DojoError, match="Leave --profile out"):
        connect(config(tmp_path), workspace=folder_of(ADA), profile="other")
