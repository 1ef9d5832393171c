"""Signing in from a notebook: by a code, by Colab's secrets, by the environment."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import dojo
from dojo import errors
from tests.client.conftest import Student
from tests.client.fake import ADDRESS, TOKEN, FakeDojo

Secret = Callable[[Callable[[str], str]], None]


@pytest.fixture
def config(student: Student, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config folder of a notebook on a machine where nobody has joined."""
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(student.config))
    monkeypatch.delenv("DOJO_TOKEN", raising=False)
    return student.config


class SecretNotFoundError(Exception):
    """As in google.colab.userdata."""


class NotebookAccessError(Exception):
    """As in google.colab.userdata."""


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> Secret:
    """Colab's secrets, answered by a function."""

    def install(get: Callable[[str], str]) -> None:
        userdata = types.ModuleType("google.colab.userdata")
        vars(userdata).update(get=get, SecretNotFoundError=SecretNotFoundError, NotebookAccessError=NotebookAccessError)
        package = types.ModuleType("google.colab")
        vars(package).update(userdata=userdata)
        monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
        monkeypatch.setitem(sys.modules, "google.colab", package)
        monkeypatch.setitem(sys.modules, "google.colab.userdata", userdata)

    return install


def raises(error: Exception) -> Callable[[str], str]:
    def get(_: str) -> str:
        raise error

    return get


def stored(config: Path) -> dict[str, str]:
    path = config / "tokens.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def test_a_code_signs_in(config: Path, fake: FakeDojo, capsys: pytest.CaptureFixture[str]) -> None:
    fake.codes.add("CODE")

    dojo.login("dojo.test", code="CODE", network=fake.network)

    assert capsys.readouterr().out == "You are Ada, in autumn.\n"
    assert stored(config) == {f"{ADDRESS}#7": TOKEN}


def test_a_cell_with_a_used_code_runs_again(config: Path, fake: FakeDojo) -> None:
    fake.codes.add("CODE")
    for _ in range(2):
        dojo.login("dojo.test", code="CODE", network=fake.network)

    assert stored(config) == {f"{ADDRESS}#7": TOKEN}


def test_a_revoked_token_is_replaced(config: Path, fake: FakeDojo) -> None:
    fake.codes.add("CODE")
    dojo.login("dojo.test", code="CODE", network=fake.network)
    (config / "tokens.json").write_text(json.dumps({f"{ADDRESS}#7": "revoked"}))
    fake.codes.add("CODE")

    dojo.login("dojo.test", code="CODE", network=fake.network)

    assert stored(config) == {f"{ADDRESS}#7": TOKEN}


def test_colabs_secret_signs_in(config: Path, fake: FakeDojo, colab: Secret) -> None:
    names: list[str] = []

    def get(name: str) -> str:
        names.append(name)
        return f"{TOKEN}\n"

    colab(get)
    dojo.login("dojo.test", network=fake.network)

    assert names == ["DOJO_TOKEN"]
    assert stored(config) == {f"{ADDRESS}#7": TOKEN}


def test_the_environment_signs_in(config: Path, fake: FakeDojo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOJO_TOKEN", TOKEN)

    dojo.login("dojo.test", network=fake.network)

    assert stored(config) == {f"{ADDRESS}#7": TOKEN}


def test_a_secret_that_is_closed_says_how_to_open_it(config: Path, fake: FakeDojo, colab: Secret) -> None:
    colab(raises(NotebookAccessError()))

    with pytest.raises(errors.DojoError, match="notebook access on"):
        dojo.login("dojo.test", network=fake.network)


def test_a_page_that_does_not_answer_is_told(config: Path, fake: FakeDojo, colab: Secret) -> None:
    colab(raises(TimeoutError()))

    with pytest.raises(errors.DojoError, match="TimeoutError"):
        dojo.login("dojo.test", network=fake.network)


def test_without_anything_it_says_what_to_do(config: Path, fake: FakeDojo, colab: Secret) -> None:
    colab(raises(SecretNotFoundError()))

    with pytest.raises(errors.NotJoined, match="dojo pair"):
        dojo.login("dojo.test", network=fake.network)
    assert stored(config) == {}


def test_a_token_that_is_not_valid_is_not_stored(config: Path, fake: FakeDojo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOJO_TOKEN", "wrong")

    with pytest.raises(errors.Unauthorized):
        dojo.login("dojo.test", network=fake.network)
    assert stored(config) == {}
