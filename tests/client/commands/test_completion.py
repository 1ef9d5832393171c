"""The command ``completion``: words completed by the shell."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from dojo.cli import cli
from tests.client.conftest import Student
from tests.client.fake import SLUG


def test_completion_knows_commands_options_and_exercises(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled.type("list")
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(pulled.config))
    requests = len(pulled.fake.requests)

    def completed(*words: str) -> list[str]:
        found = ShellComplete(cli, {}, "dojo", "_DOJO_COMPLETE").get_completions(list(words[:-1]), words[-1])
        return [each.value for each in found]

    assert completed("subm") == ["submissions", "submit"]
    assert completed("submit", "--dr") == ["--dry-run"]
    for words in (
        ("pull", "make"),
        ("status", ""),
        ("history", "m"),
        ("open", ""),
        ("submit", "x.py", "--exercise", ""),
    ):
        assert completed(*words) == [SLUG]
    assert completed("pull", "other") == []
    assert len(pulled.fake.requests) == requests


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(pulled: Student, shell: str) -> None:
    code, out, _ = pulled.type("completion", shell)
    assert code == 0
    assert "_DOJO_COMPLETE" in out
