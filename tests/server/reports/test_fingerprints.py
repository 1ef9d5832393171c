"""Fingerprints of code: renaming and layout leave them as they are."""

from __future__ import annotations

import random

import pytest

from exercises.registry import find
from server.reports.fingerprints import RUN, WINDOW, fingerprints_of, tokens_of
from tests.support.servers import FULL

SOURCE = find(FULL).solution


def test_renamed_code_with_comments_and_other_blanks_keeps_its_fingerprints() -> None:
    laid_out = "\n\n".join(f"{line}  # a comment" for line in SOURCE.splitlines()).replace("dlogits", "x")

    assert fingerprints_of(laid_out).keys() == fingerprints_of(SOURCE).keys()


def test_every_common_run_that_is_long_enough_leaves_a_common_fingerprint() -> None:
    chance = random.Random(1)
    operators = "+-*/@%"
    common = " ".join(chance.choice(operators) for _ in range(WINDOW + RUN - 1))
    one, other = (
        " ".join(chance.choice(operators) for _ in range(40)) + f" {common} " + chance.choice(operators) * 3
        for _ in range(2)
    )

    assert fingerprints_of(one).keys() & fingerprints_of(other).keys()


@pytest.mark.parametrize("source", ["", "x", "def f(:\n  ((('", "\0\xa0é = '''", "a = 1\n" * 3])
def test_no_code_is_refused(source: str) -> None:
    fingerprints_of(source)


def test_lines_are_counted_through_texts_and_blank_lines() -> None:
    tokens = tokens_of("a = '''\n\n'''\n\n# so\nb = \\\n 2\n")

    assert [(token.text, token.line) for token in tokens] == [
        ("N", 1), ("=", 1), ("S", 1), ("N", 6), ("=", 6), ("0", 7),
    ]  # fmt: skip


def test_a_fingerprint_says_its_lines() -> None:
    lines = set(fingerprints_of(SOURCE).values())

    assert min(first for first, _ in lines) >= 1
    assert max(last for _, last in lines) <= len(SOURCE.splitlines())


def test_few_of_the_hashes_are_kept() -> None:
    """Winnowing keeps 2 of ``WINDOW + 1`` hashes on average (Schleimer et al. 2003, §4.1)."""
    runs = len(tokens_of(SOURCE)) - RUN + 1

    assert len(fingerprints_of(SOURCE)) < 0.5 * runs
