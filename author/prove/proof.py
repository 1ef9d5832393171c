"""A proof: what the checks found, for one revision of one exercise in one numeric environment; and its signed record.

The signature is that of a server (``grader.records``), so a course can show who proved an exercise. A proof holds for
the very content that was proved: an exercise that was changed since has none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from author.prove.findings import Finding
from exercises.exercise import Exercise
from exercises.instance import Instance
from grader.records.signature import BadSignature, read_signed, signed

FORMAT: Final = 1
PURPOSE: Final = "proof of an exercise"
PROOF_BYTES_MAX: Final = 64 * 1024


class BadProof(ValueError):
    """The bytes are no proof, or nobody signed them. The message says what to do."""


@dataclass(frozen=True)
class Proof:
    """What was checked, and with what result.

    ``mistakes`` are those in lines that are asked for, ``between`` those in other lines; ``located`` are of both.
    ``content`` is the digest of what was proved. ``is_quick`` says that fewer seeds and mistakes were tried. ``exact``
    of ``rows`` answers of the key were equal to the last bit. ``milliseconds`` is the median cost of explaining a
    mistake on the machine that proved.
    """

    exercise: str
    revision: int
    content: str
    environment: str
    is_quick: bool
    seeds: int
    checkpoints: int
    exact: int
    rows: int
    mistakes: int
    between: int
    located: int
    named: int
    milliseconds: float
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether no check found a fault."""
        return all(each.is_sound for each in self.findings)

    def faults(self) -> list[str]:
        """Return a sentence for each fault, with the check that found it."""
        return [f"{each.check}: {message}" for each in self.findings for message in each.messages]

    def notes(self) -> list[str]:
        """Return a sentence for each name that nobody is asked for, with the reason."""
        return [note for each in self.findings for note in each.notes]

    def signed(self, secret: bytes) -> bytes:
        """Return the record of this proof as JSON, signed with the key of a server's secret."""
        values = {name: value for name, value in asdict(self).items() if name != "findings"}
        values["checks"] = [each.check for each in self.findings]
        values["notes"] = self.notes()
        values["is_sound"] = self.is_sound
        return signed({"purpose": PURPOSE, "format": FORMAT, "proof": values}, secret)


@dataclass(frozen=True)
class ProofRecord:
    """A signed proof that was read. ``key`` is the public key that signed it, in hexadecimal."""

    key: str
    proof: Mapping[str, Any]

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a record whose signature is right.

        :raises BadProof: it is no proof, or was changed since it was signed
        """
        if len(content) > PROOF_BYTES_MAX:
            raise BadProof("It is too large for a proof. Prove the exercise again.")
        try:
            values, key = read_signed(content)
            if values["purpose"] != PURPOSE or values["format"] != FORMAT:
                raise BadProof("It is no proof of this format. Prove the exercise again.")
            return cls(key, dict(values["proof"]))
        except BadSignature as error:
            raise BadProof(f"{error} Prove the exercise again.") from None
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadProof):
                raise
            raise BadProof("It is no proof. Prove the exercise again.") from None

    def holds_for(self, exercise: Exercise) -> bool:
        """Whether it proves this exercise as it is now, and found no fault."""
        proof = self.proof
        return (
            proof.get("is_sound") is True
            and (proof.get("exercise"), proof.get("revision")) == (exercise.slug, exercise.revision)
            and proof.get("content") == content_of(exercise)
        )


def content_of(exercise: Exercise) -> str:
    """Return the digest of what a student gets and is asked: texts, forward pass, checkpoints, canonical numbers."""
    values = {
        "slug": exercise.slug,
        "revision": exercise.revision,
        "texts": [exercise.title, exercise.summary, exercise.statement, exercise.solution],
        "forward": exercise.forward.text,
        "checkpoints": [checkpoint.name for checkpoint in exercise.checkpoints],
        "vanishing": sorted(exercise.vanishing),
        "hints": dict(exercise.hints),
        "numbers": Instance.canonical(exercise).digest,
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
