"""Servers and folders that lie: a sentence and an exit code for each, no traceback, and no folder half written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from dojo import errors
from dojo.files import atomic, workspace
from dojo.files.workspace import open_workspace
from tests.client.conftest import Student
from tests.client.fake import SLUG, FakeDojo

LIES: tuple[Any, ...] = (
    None,
    True,
    3,
    -1,
    2**60,
    1.5,
    1e300,
    "x",
    "",
    "\u202e\x1b[2J",
    [],
    [None],
    [[3]],
    {},
    {"x": "y"},
    ["a"] * 3,
)
FILES = {".dojo.json", "state.safetensors", "exercise.md", "solution.py", "exercise.ipynb"}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each member of a JSON value."""
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def with_lie(value: Any, path: tuple[Any, ...], lie: Any) -> Any:
    """Return a JSON value with a lie at one place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = lie
    return copy


class Liar:
    """Tells the truth at every address but one, and there one lie after the other."""

    def __init__(self, fake: FakeDojo, method: str, ending: str) -> None:
        self._fake, self._method, self._ending = fake, method, ending
        self.body: Any = None
        self.lie: tuple[tuple[Any, ...], Any] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if request.method != self._method or not request.url.path.endswith(self._ending):
            return None
        self._fake.before = None
        try:
            answer = self._fake(request)
        finally:
            self._fake.before = self
        self.body = json.loads(answer.content)
        if self.lie is None:
            return answer
        content = json.dumps(with_lie(self.body, *self.lie)).encode()
        return httpx.Response(answer.status_code, content=content)


@pytest.mark.parametrize(
    ("method", "ending", "words"),
    [
        ("GET", "/exercises", ("list",)),
        ("GET", "/exercises", ("status",)),
        ("GET", SLUG, ("pull", SLUG, "--to", "new")),
        ("GET", "/instance", ("pull", SLUG, "--to", "new")),
        ("GET", SLUG, ("status", SLUG)),
        ("GET", SLUG, ("open", SLUG, "--json")),
        ("GET", "autumn/submissions", ("history",)),
        ("POST", "/submissions", ("submit", "a.py", "--exercise", SLUG)),
        ("GET", "/submissions/1", ("show", "1")),
        ("GET", "/submissions/1", ("show", "1", "--all")),
        ("GET", "/submissions/1", ("hint", "1")),
        ("GET", "/submissions/1", ("restore", "1", "--to", "old.py")),
    ],
    ids=str,
)
def test_no_lie_of_a_server_is_a_traceback(student: Student, method: str, ending: str, words: tuple[str, ...]) -> None:
    student.join()
    Path("a.py").write_text("dcounts = n / counts\ndlogits = torch.ones(2, 3)\n")
    assert student.type("submit", "a.py", "--exercise", SLUG)[0] == 1
    liar = student.fake.before = Liar(student.fake, method, ending)
    assert student.type(*words)[0] in (0, 1)
    codes = set()
    for place in list(places(liar.body)):
        for lie in LIES:
            for file in Path("new").glob("*"):
                file.unlink()
            Path("old.py").unlink(missing_ok=True)
            if Path("new").exists():
                Path("new").rmdir()
            liar.lie = (place, lie)
            code, out, err = student.type(*words)
            assert code in (0, 1, 2, 3), (place, lie)
            assert "\x1b" not in out + err and "\u202e" not in out + err
            assert code != 3, (place, lie, err)
            written = {file.name for file in Path("new").glob("*")}
            assert written in (set(), FILES) and Path("new").exists() == bool(written), (place, lie)
            codes.add(code)
    assert 2 in codes


def marker_with(folder: Path, path: tuple[Any, ...], lie: Any) -> None:
    marker = folder / ".dojo.json"
    marker.write_text(json.dumps(with_lie(json.loads(marker.read_text()), path, lie)))


def test_no_lie_of_a_folder_is_a_traceback(student: Student) -> None:
    student.join()
    assert student.type("pull", SLUG, "--to", "x")[0] == 0
    os.chdir("x")
    truth = Path(".dojo.json").read_text()
    for place in list(places(json.loads(truth))):
        for lie in LIES:
            Path(".dojo.json").write_text(json.dumps(with_lie(json.loads(truth), place, lie)))
            for words in (("check", "solution.py"), ("history",)):
                code, out, err = student.type(*words)
                assert code in (0, 1, 2), (place, lie, err)
                assert "\x1b" not in out + err and "\u202e" not in out + err
    for text in ("NaN", "[" * 100_000, '{"exercise": NaN}', "\xff", '{"a": 1e999}', ""):
        Path(".dojo.json").write_text(text, encoding="latin-1")
        code, _, err = student.type("check", "solution.py")
        assert (code, "damaged" in err) == (2, True)


def test_a_local_link_is_checked_like_the_servers(fake: FakeDojo, tmp_path: Path) -> None:
    workspace.pull(fake.connection, SLUG, tmp_path / "x")
    assert open_workspace(tmp_path / "x").checkpoints[0].lecture_url == "https://dojo.test/lecture?t=60"
    for link in ("file:///etc/passwd", "javascript:alert(1)", "http://evil.test", "https://a@evil.test"):
        marker_with(tmp_path / "x", ("checkpoints", 0, "lecture_url"), link)
        assert open_workspace(tmp_path / "x").checkpoints[0].lecture_url is None


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0[]"])
def test_a_state_that_is_none_leaves_no_folder(fake: FakeDojo, tmp_path: Path, content: bytes) -> None:
    fake.content = content
    with pytest.raises(errors.NotADojo):
        workspace.pull(fake.connection, SLUG, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_disk_that_is_full_leaves_no_folder(fake: FakeDojo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = atomic.write
    written: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        if len(written) == 3:
            raise OSError(28, "No space left on device", str(path))
        written.append(path)
        write(path, content)

    monkeypatch.setattr("dojo.files.atomic.write", full)
    with pytest.raises(OSError, match="No space"):
        workspace.pull(fake.connection, SLUG, tmp_path / "x")
    assert not (tmp_path / "x").exists()
