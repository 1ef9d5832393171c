"""Connections: to which server a token goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dojo import errors
from dojo.files.workspace import Workspace
from dojo.profiles.config import Config, Profile
from dojo.profiles.connection import connect
from tests.client.profiles.accounts import ADA, BOB, EVE, config


def folder_of(profile: Profile) -> Workspace:
    return Workspace(
        Path("here"), "a/b", 1, profile.course, profile.server, profile.student_id, "0" * 64, checkpoints=()
    )


def test_nobody_joined(tmp_path: Path) -> None:
    with pytest.raises(errors.NotJoined, match="dojo join"):
        connect(config(tmp_path))


def token_of(here: Config, folder: Workspace | None = None, profile: str | None = None) -> tuple[str, str | None]:
    connection = connect(here, workspace=folder, profile=profile)
    return connection.server.address, connection.server._client.http.headers.get("Authorization")


def test_environment_overrides_the_profile(tmp_path: Path) -> None:
    config(tmp_path).add(ADA, "ada")
    ci = config(tmp_path, DOJO_SERVER="ci.test", DOJO_TOKEN="ci", DOJO_COURSE="autumn")
    assert token_of(ci) == ("https://ci.test", "Bearer ci")


def test_a_profiles_token_stays_at_its_server(tmp_path: Path) -> None:
    config(tmp_path).add(ADA, "ada")
    with pytest.raises(errors.NotJoined, match=r"no token for https://ci\.test"):
        connect(config(tmp_path, DOJO_SERVER="ci.test", DOJO_COURSE="autumn"))


def test_a_folder_gets_its_own_students_token(tmp_path: Path) -> None:
    for profile in (EVE, BOB, ADA):
        config(tmp_path).add(profile, profile.student)
    assert token_of(config(tmp_path), folder_of(EVE)) == ("https://other.test", "Bearer Eve")
    assert token_of(config(tmp_path), folder_of(BOB)) == ("https://dojo.test", "Bearer Bob")


def test_an_unknown_servers_folder_gets_no_token(tmp_path: Path) -> None:
    config(tmp_path).add(ADA, "ada")
    foreign = folder_of(Profile("x", "https://evil.test", "autumn", "7", "Ada"))
    for here in (config(tmp_path), config(tmp_path, DOJO_TOKEN="secret")):
        with pytest.raises(errors.NotJoined, match=r"evil\.test"):
            connect(here, workspace=foreign)


def test_the_environments_token_stays_at_its_server(tmp_path: Path) -> None:
    for profile in (EVE, ADA):
        config(tmp_path).add(profile, profile.student)
    here = config(tmp_path, DOJO_TOKEN="ci")
    assert token_of(here, folder_of(EVE)) == ("https://other.test", "Bearer Eve")
    assert token_of(here, folder_of(ADA)) == ("https://dojo.test", "Bearer ci")


def test_profile_and_folder_must_agree(tmp_path: Path) -> None:
    for profile in (EVE, ADA):
        config(tmp_path).add(profile, profile.student)
    with pytest.raises(errors.DojoError, match="Leave --profile out"):
        connect(config(tmp_path), workspace=folder_of(ADA), profile="other")
