"""docs/authoring.md, typed word for word in an empty folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from author.commands import main
from tests.support.console import is_as_printed, read_console
from tests.support.processes import PROJECT

TEXT = (PROJECT / "docs" / "authoring.md").read_text(encoding="utf-8")
BRANCH = "# --- given\nx = param(3, 4)\n# --- lines\na = x * x\nif a.mean() > 0:\n    a = a * 2\nloss = a.sum()\n"

Type = Callable[[str], str]


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Type:
    """Type a command in a folder that holds the page's file and one with a branch; return what it prints."""
    monkeypatch.chdir(tmp_path)
    (pasted,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    Path("mlp.py").write_text(pasted, encoding="utf-8")
    Path("branch.py").write_text(BRANCH, encoding="utf-8")

    def type_(command: str) -> str:
        words = shlex.split(command)
        if words[0] == "cat":
            return Path(words[1]).read_text(encoding="utf-8")
        assert words[:3] == ["python", "-m", "author"], command
        try:
            code = main(words[3:])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return f"{out}{err}" + (f"[exit code {code}]\n" if code and "prove" not in words else "")

    return type_


def test_every_command_prints_what_the_page_says(type_: Type) -> None:
    commands = read_console(TEXT)

    printed = [(each.command, each.printed, type_(each.command)) for each in commands]

    assert len(commands) == 5
    for command, documented, found in printed:
        lines = found.splitlines()[: len(documented.splitlines())] if "prove" in command else found.splitlines()
        assert is_as_printed(documented, "\n".join(lines)), (command, found)


def test_the_folder_keeps_what_its_author_wrote(type_: Type) -> None:
    paste = read_console(TEXT)[0].command
    type_(paste)
    statement = Path("my-pack/one-layer/statement.md")
    statement.write_text("# Mine\n", encoding="utf-8")

    again = type_(paste)
    other = type_(paste.replace("one-layer", "two"))

    assert "statement.md" not in again and statement.read_text(encoding="utf-8") == "# Mine\n"
    assert "statement.md" in other
    assert 'exercises = ["one-layer", "two"]' in Path("my-pack/pack.toml").read_text(encoding="utf-8")


def test_a_name_that_no_slug_can_have_is_refused(type_: Type) -> None:
    said = type_("python -m author paste mlp.py --into My/One_Layer!")

    assert "Name pack and exercise with a-z, 0-9 and hyphens" in said
