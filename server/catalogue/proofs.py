"""Proofs of exercises: signed records that this server keeps, or that came with a pack.

A proof is shown only if its signature is right and it holds for the exercise as it is now.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from author.prove.proof import BadProof, Proof, ProofRecord
from exercises.exercise import Exercise
from grader.records.signature import public_key
from server.catalogue.schemas import ExerciseSummaryBody, ProofBody

log = logging.getLogger(__name__)

FOLDER = "proofs"
COUNT_MAX = 2**31 - 1


class Proofs:
    """Finds the proof of an exercise.

    :param data: the server's data folder, where ``python -m server author prove`` leaves proofs
    :param secret: the server's secret, whose key signs them
    """

    def __init__(self, data: Path, secret: bytes) -> None:
        self._folder = data / FOLDER
        self._secret = secret
        self._key = public_key(secret)
        self._bodies: dict[tuple[str, bytes], ProofBody | None] = {}

    def keep(self, proof: Proof) -> Path:
        """Sign a proof and keep it; return its file."""
        path = self._path(proof.exercise)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(proof.signed(self._secret))
        return path

    def of(self, exercise: Exercise) -> ProofBody | None:
        """Return the proof of an exercise; None without one that holds."""
        try:
            content = self._path(exercise.slug).read_bytes()
        except OSError:
            content = exercise.proof or b""
        if not content:
            return None
        key = (exercise.slug, content)
        if key not in self._bodies:
            self._bodies[key] = self._checked(exercise, content)
        return self._bodies[key]

    def shown(self, summary: ExerciseSummaryBody, exercise: Exercise) -> ExerciseSummaryBody:
        """Return a summary with the proof of its exercise."""
        return summary.model_copy(update={"proved": self.of(exercise)})

    def _path(self, slug: str) -> Path:
        return self._folder / f"{slug}.json"

    def _checked(self, exercise: Exercise, content: bytes) -> ProofBody | None:
        """Return a proof if it holds. To find out costs a play of the exercise, so the answer is remembered."""
        try:
            record = ProofRecord.read(content)
        except BadProof as error:
            log.warning("the proof of %s is left out: %s", exercise.slug, error)
            return None
        if not record.holds_for(exercise):
            log.warning("the proof of %s is left out: the exercise has changed. Prove it again.", exercise.slug)
            return None
        # The author of a pack may have signed anything with a key of their own.
        said = {name: record.proof.get(name) for name in ("seeds", "exact", "mistakes", "named")}
        said["answers"] = record.proof.get("rows")
        counts = {name: count for name, count in said.items() if type(count) is int and 0 <= count <= COUNT_MAX}
        if counts.keys() != said.keys():
            log.warning("the proof of %s is left out: it does not say what was tried. Prove it again.", exercise.slug)
            return None
        return ProofBody(by_this_server=record.key == self._key, key=record.key, **counts)


async def proofs(request: Request) -> Proofs:
    """Return the application's proofs."""
    value = request.app.state.proofs
    assert isinstance(value, Proofs)
    return value


TheProofs = Annotated[Proofs, Depends(proofs)]
