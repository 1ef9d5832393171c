"""``python -m author``: what it prints, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from author.commands import main
from author.prove import table
from author.prove.proof import ProofRecord
from exercises.registry import find
from grader.records.signature import public_key

LOSS = "makemore/cross-entropy"


def run(*arguments: str | Path) -> int:
    """Run a command as the program does; a command that proves leaves by ``sys.exit``."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as error:
        return int(error.code or 0)


def test_mistakes_are_listed_with_what_the_grader_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mistakes", LOSS, "--per-line", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("logits: ")
    assert "the grader says logits: " in lines[1]
    assert lines[-1].endswith("%)") and "found at their step" in lines[-1]


@pytest.mark.parametrize("arguments", [("prove", "makemore/nothing"), ("mistakes", "makemore/nothing"), ("prove",)])
def test_a_wrong_call_says_what_to_type(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert "choose one of" in said or "give --all" in said


def test_a_proof_is_printed_signed_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, secret, old = tmp_path / "exercises.md", tmp_path / "secret", tmp_path / "old.md"
    old.write_text(f"| {LOSS} | 1 | 99% | 0 | 0 | 18 | 18 | 5 | 000000000000 |", encoding="utf-8")
    signing = ("--sign-with", secret, "--into", tmp_path / "proofs")
    assert run("prove", LOSS, "--quick", "--page", page, "--check", old, *signing) == 1
    said = capsys.readouterr().out
    assert "1 of 1 proved" in said
    assert f"{LOSS}: 1 99% 0 0 18 18 000000000000 on the page, " in said
    assert "old.md is not current. Make it again: make exercises" in said
    assert list(table.read_page(page.read_text(encoding="utf-8"))) == [LOSS]

    record = ProofRecord.read((tmp_path / "proofs" / LOSS / "proof.json").read_bytes())
    assert secret.stat().st_mode & 0o077 == 0
    assert record.key == public_key(secret.read_bytes())
    assert record.holds_for(find(LOSS))
