"""The table of proofs: in a terminal, and as docs/exercises.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from author.prove.proof import Proof

HEADER: Final = ("exercise", "checkpoints", "exact", "mistakes", "named", "between", "found", "ms")
CONTENT_DIGITS: Final = 12
_INTRODUCTION: Final = """\
# Exercises

What `python -m author prove --all --quick` says of every exercise that is here. Made by `make exercises`; CI makes it
again and compares all columns but **ms**.

- **exact**: the share of the derived key's answers that equal autograd's to the last bit, over {seeds} seeds.
- **mistakes**: changes to one line of the key that change its numbers{per_line}.
  **Named**: with a kind that is right.
- **between**: mistakes in lines of the key that read or set what nobody is asked for, as below a closed form. They have
  to be found, and need not be named.
- **found**: mistakes of both sorts that are found at their step and at no other.
- **ms**: the median cost of explaining one mistake, on the machine that made this page.
- **content**: the beginning of the digest of what was proved. An exercise with another one has to be proved again.
"""


def row(proof: Proof) -> tuple[str, ...]:
    """Return what the table says of a proof."""
    exact = f"{proof.exact / proof.rows:.0%}" if proof.rows else "–"
    counts = (proof.checkpoints, exact, proof.mistakes, proof.named, proof.between, proof.located)
    return (proof.exercise, *map(str, counts), f"{proof.milliseconds:.0f}")


def terminal(cells: Sequence[str]) -> str:
    """Return a row for a terminal."""
    return f"{cells[0]:36s}" + "".join(f"{cell:>14s}" for cell in cells[1:])


def total(proofs: Sequence[Proof]) -> str:
    """Return the sum of some proofs in a sentence."""
    sound = sum(proof.is_sound for proof in proofs)
    mistakes, named = sum(proof.mistakes for proof in proofs), sum(proof.named for proof in proofs)
    exact, rows = sum(proof.exact for proof in proofs), sum(proof.rows for proof in proofs)
    shares = f"{exact / rows:.1%} of the key's answers exact" if rows else "no key"
    named_share = f"{named / mistakes:.1%}" if mistakes else "none"
    return f"{sound} of {len(proofs)} proved; {shares}; {mistakes} mistakes tried, {named_share} named."


def page(proofs: Sequence[Proof]) -> str:
    """Return docs/exercises.md."""
    per_line = ", at most three of each line" if any(proof.is_quick for proof in proofs) else ""
    seeds = max((proof.seeds for proof in proofs), default=0)
    lines = [_INTRODUCTION.format(seeds=seeds, per_line=per_line)]
    header = (*HEADER, "content")
    lines.append("| " + " | ".join(header) + " |\n| --- |" + " ---: |" * len(HEADER))
    lines += ["| " + " | ".join((*row(proof), proof.content[:CONTENT_DIGITS])) + " |" for proof in proofs]
    return "\n".join([*lines, "", total(proofs), ""])


def read_page(text: str) -> dict[str, tuple[str, ...]]:
    """Return exercise → its cells, as the page has them, without the cost."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(HEADER) + 1 and re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", cells[0]):
            rows[cells[0]] = (*cells[1 : len(HEADER) - 1], cells[-1])
    return rows


def differences(then: Mapping[str, tuple[str, ...]], now: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    """Yield what has changed between two pages."""
    for slug in sorted(then.keys() | now.keys()):
        if then.get(slug) != now.get(slug):
            was, is_now = (" ".join(rows.get(slug, ("not there",))) for rows in (then, now))
            yield f"{slug}: {was} on the page, {is_now} now"
