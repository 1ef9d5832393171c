"""The commands ``submissions`` and ``restore``: what was handed in, back again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.client.commands.conftest import HALF
from tests.client.conftest import Student


def test_the_code_that_was_handed_in_is_shown(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    assert pulled.type("submissions")[1] == pulled.type("history")[1]
    assert pulled.type("submissions", "show", "1")[1] == pulled.type("show", "1")[1]
    assert pulled.type("submissions", "show", "1", "--code")[:2] == (0, HALF)
    document = json.loads(pulled.type("submissions", "show", "1", "--code", "--json")[1])
    assert document == {"submission": 1, "filename": "solution.py", "source": HALF}
    pulled.fake.sources[1] = b"x = 1 \x1b[2J\xff"
    assert pulled.type("submissions", "show", "1", "--code")[1] == "x = 1 \ufffd\n"


def test_restore_writes_back_what_was_handed_in(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    assert "submission 1 already" in pulled.type("restore", "1")[1]
    Path("solution.py").write_text("my newest work")
    code, _, err = pulled.type("restore", "1")
    assert (code, err) == (
        2,
        "solution.py is there already, and was left as it is.\nName another file: dojo restore 1 --to FILE\n",
    )
    assert Path("solution.py").read_text() == "my newest work"
    Path("solution.py").unlink()
    code, out, _ = pulled.type("restore", "1")
    assert (code, out) == (0, "solution.py holds submission 1 again. Next: dojo submit solution.py\n")
    assert Path("solution.py").read_text() == HALF
    assert json.loads(pulled.type("restore", "1", "--to", "a b.py", "--json")[1])["written"] is True
    assert Path("a b.py").read_text() == HALF


@pytest.mark.parametrize(("answer", "kept"), [("n\n", "mine"), ("\n", "mine"), ("y\n", HALF)])
def test_restore_asks_before_it_replaces(
    pulled: Student, monkeypatch: pytest.MonkeyPatch, answer: str, kept: str
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    Path("solution.py").write_text("mine")
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    pulled.type("restore", "1")
    assert Path("solution.py").read_text() == kept


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "/etc/x.py",
        "a\\b.py",
        ".bashrc",
        ".py",
        "con.py",
        "x.sh",
        "state.safetensors",
        "x" * 300 + ".py",
        "",
    ],
    ids=lambda name: name[:20],
)
def test_a_server_cannot_name_the_file(pulled: Student, name: str) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    pulled.fake.source_name = name or " "
    before = {path: path.read_bytes() for path in Path("..").rglob("*") if path.is_file()}
    code, out, _ = pulled.type("restore", "1")
    assert (code, out.split()[0]) == (0, "submission-1.py")
    assert {path: path.read_bytes() for path in before} == before
    assert Path("submission-1.py").read_text() == HALF
