"""The client's wheel: built from the sources, served under the name that installers ask for."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
import zipfile
from email.parser import Parser
from importlib.metadata import requires, version
from pathlib import Path

import pytest

from server.client_wheel.distributions import CLIENT_SOURCES, ClientSources
from tests.support.servers import RunningServer, is_problem

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
PACKAGE = "backprop-dojo-client"
NAME = f"backprop_dojo_client-{version(PACKAGE)}-py3-none-any.whl"


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_every_module_of_the_client() -> None:
    client = ClientSources().build()

    assert client is not None and client.wheel_name == NAME
    files = unpacked(client.wheel)
    sources = {
        str(path.relative_to(CLIENT_SOURCES / "src")): path.read_bytes()
        for path in (CLIENT_SOURCES / "src" / "dojo").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(sources) > 30
    assert {name: files[name] for name in files if ".dist-info/" not in name} == sources


def test_the_wheel_asks_for_what_the_project_asks_for() -> None:
    client = ClientSources().build()

    assert client is not None
    files = unpacked(client.wheel)
    (metadata,) = [files[name].decode() for name in files if name.endswith("/METADATA")]
    parsed = Parser().parsestr(metadata)
    assert (parsed["Name"], parsed["Version"]) == (PACKAGE, version(PACKAGE))
    wanted = {text.replace(" ", "").replace('"', "'") for text in requires(PACKAGE) or ()}
    assert {text.replace(" ", "").replace('"', "'") for text in parsed.get_all("Requires-Dist", [])} == wanted
    (scripts,) = [files[name].decode() for name in files if name.endswith("/entry_points.txt")]
    assert "dojo=dojo.cli:main" in scripts


def test_building_writes_nothing_into_the_sources(tmp_path: Path) -> None:
    sources = tmp_path / "client"
    shutil.copytree(CLIENT_SOURCES, sources, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    before = sorted(sources.rglob("*"))
    for path in (*before, sources):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))

    client = ClientSources(sources).build()

    assert client is not None
    assert sorted(sources.rglob("*")) == before


def test_it_is_built_once(tmp_path: Path) -> None:
    sources = tmp_path / "client"
    shutil.copytree(CLIENT_SOURCES, sources, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    client = ClientSources(sources)
    first = client.build()
    shutil.rmtree(sources)

    assert first is not None
    assert client.build() is first


@on_sqlite
def test_the_short_address_leads_to_the_wheel(server: RunningServer) -> None:
    answer = server.client.get("/client.whl")

    assert answer.url.path == f"/client/{NAME}"
    assert unpacked(answer.content)


@on_sqlite
def test_the_archive_has_the_sources_and_is_not_stored(server: RunningServer) -> None:
    answer = server.client.get("/client.tar.gz")

    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "src/dojo/cli.py", "src/dojo/py.typed", "PKG-INFO"} <= names
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/gzip"


@on_sqlite
def test_the_page_names_an_address_that_installers_take(server: RunningServer) -> None:
    text = server.client.get("/client").text

    assert f"pip install http://testserver/client/{NAME}\n" in text
    assert f"uv tool install http://testserver/client/{NAME}\n" in text


@on_sqlite
def test_another_version_is_a_problem_that_names_this_one(server: RunningServer) -> None:
    answer = server.client.get("/client/backprop_dojo_client-0.0.1-py3-none-any.whl")

    assert is_problem(answer, 404)
    assert NAME in answer.json()["detail"]


@on_sqlite
def test_a_server_without_sources_says_so(server: RunningServer, tmp_path: Path) -> None:
    server.client.app.state.client_sources = ClientSources(tmp_path)  # type: ignore[attr-defined]

    assert is_problem(server.client.get("/client.whl"), 404)
