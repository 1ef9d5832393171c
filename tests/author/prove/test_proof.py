"""A proof: signed, read again, and of no use for an exercise that has changed."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from author.prove import table
from author.prove.proof import BadProof, Proof, ProofRecord
from author.prove.prove import prove
from grader.records.signature import public_key
from tests.author.subjects import SMALL, TrustingSandbox, exercise

SECRET = b"0123456789abcdef0123456789abcdef"


@cache
def proof() -> Proof:
    return prove(exercise("sound"), SMALL, TrustingSandbox())  # type: ignore[arg-type]


def test_a_signed_proof_holds_for_its_exercise() -> None:
    record = ProofRecord.read(proof().signed(SECRET))
    assert record.key == public_key(SECRET)
    assert record.holds_for(exercise("sound"))
    assert record.proof["mistakes"] == proof().mistakes > 5


@pytest.mark.parametrize(
    "changed", [{"revision": 2}, {"statement": "Another."}, {"vanishing": frozenset({"b"})}, {"slug": "errors/other"}]
)
def test_a_proof_does_not_hold_for_another_exercise(changed: dict[str, object]) -> None:
    other = replace(exercise("sound"), **changed)  # type: ignore[arg-type]
    assert not ProofRecord.read(proof().signed(SECRET)).holds_for(other)


def test_a_proof_with_a_fault_holds_for_nothing() -> None:
    faulty = prove(exercise("declared_and_not_vanishing"), SMALL)
    assert not faulty.is_sound
    assert not ProofRecord.read(faulty.signed(SECRET)).holds_for(exercise("declared_and_not_vanishing"))


def test_a_changed_proof_is_refused() -> None:
    envelope = json.loads(proof().signed(SECRET))
    envelope["signed"]["proof"]["named"] += 1
    with pytest.raises(BadProof, match="signature is wrong"):
        ProofRecord.read(json.dumps(envelope).encode())


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b"x" * 70_000])
def test_bytes_that_are_no_proof_are_refused(content: bytes) -> None:
    with pytest.raises(BadProof, match="Prove the exercise again"):
        ProofRecord.read(content)


def test_a_page_is_read_as_it_was_written() -> None:
    other = replace(proof(), exercise="errors/other", named=proof().named - 1)
    page = table.page([proof(), other])
    rows = table.read_page(page)
    assert list(rows) == ["errors/sound", "errors/other"]
    assert list(table.differences(rows, rows)) == []
    changed = table.read_page(table.page([proof(), replace(other, named=other.named - 1)]))
    assert [line.partition(":")[0] for line in table.differences(rows, changed)] == ["errors/other"]
    slower = table.read_page(table.page([replace(proof(), milliseconds=999.0), other]))
    assert list(table.differences(rows, slower)) == []
