"""What a trial of a forward pass takes and gives."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field

from server.authoring.trial import TEXT_CHARACTERS_MAX, Trial

Text = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]


class TrialRequestBody(BaseModel):
    """A forward pass to try: what is given, and the lines. ``prove`` takes some seconds more."""

    given: Text
    lines: Text
    prove: bool = False


class RefusalBody(BaseModel):
    """Why the lines are no exercise, and what to write instead. ``line`` counts from 1."""

    line: int | None
    reason: str


class NoteBody(BaseModel):
    """What was read in another way than it is written."""

    line: int
    text: str


class StepBody(BaseModel):
    """A step of the forward pass."""

    name: str
    text: str
    shape: list[int]


class KeyLineBody(BaseModel):
    """A derived line; ``verdict`` is exact, right or wrong."""

    name: str
    code: str
    verdict: str


class ProvedBody(BaseModel):
    """What a quick proof found: mistakes that were tried, found at their step and named, and each fault."""

    mistakes: int
    located: int
    named: int
    faults: list[str]


class TrialBody(BaseModel):
    """What came of a forward pass. ``files`` are the folder of the exercise, by their paths."""

    refusal: RefusalBody | None
    notes: list[NoteBody]
    steps: list[StepBody]
    key: list[KeyLineBody]
    proved: ProvedBody | None
    files: dict[str, str]

    @classmethod
    def of(cls, trial: Trial) -> Self:
        """Return the body of a trial."""
        refusal, proved = trial.refusal, trial.proved
        return cls(
            refusal=None if refusal is None else RefusalBody(line=refusal.line, reason=refusal.reason),
            notes=[NoteBody(line=line, text=text) for line, text in trial.notes],
            steps=[StepBody(name=each.name, text=each.text, shape=list(each.shape)) for each in trial.steps],
            key=[KeyLineBody(name=each.name, code=each.code, verdict=each.verdict) for each in trial.key],
            proved=None
            if proved is None
            else ProvedBody(
                mistakes=proved.mistakes, located=proved.located, named=proved.named, faults=list(proved.faults)
            ),
            files=dict(trial.files),
        )
