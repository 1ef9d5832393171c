"""What a notebook compared: the last value of each step, and what of it the server does not keep yet.

A comparison alone is no attempt. What was compared since the last hand-in is one *draft* in the outbox, written anew
with each comparison, so that it outlives the kernel. It becomes one submission, however many cells made it. Where the
course limits the attempts there is no draft, because it would use one up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dojo import tensors
from dojo.api.responses import Comparison
from dojo.files.outbox import Outbox
from dojo.files.workspace import Workspace
from dojo.tensors import NotATensor

if TYPE_CHECKING:
    from torch import Tensor

CONTEXT_PREFIX = "context."  # of a variable that is sent along and not graded
KEY_LETTERS = 32  # 128 bits, and a file's name that Windows takes
CONTEXT_BYTES_MAX = 4 * 2**20  # the server reads 8 MiB


@dataclass(frozen=True)
class Question:
    """A gradient to compare, as the bytes to send. ``alone`` and ``whole`` are digests without and with the context."""

    content: bytes
    alone: str
    whole: str


@dataclass(frozen=True)
class _Answered:
    question: Question
    row: Comparison


class Compared:
    """The gradients that were compared since the kernel started."""

    def __init__(self, workspace: Workspace) -> None:
        self.values: dict[str, Tensor] = {}  # by the student's variable
        self._workspace = workspace
        self._outbox = Outbox(workspace)
        self._answered: dict[str, _Answered] = {}
        self._kept: dict[str, str] = {}  # variable → digest of what the server keeps
        self._new: dict[str, Tensor] = {}
        self._passed: set[str] = set()  # of the new ones
        self._draft: Path | None = None
        self._waiting_key: str | None = None  # of the last answers that were to be handed in, and wait

    def question(self, variable: str, value: Tensor, context: Mapping[str, Tensor]) -> Question:
        """Return what to send to have one gradient compared."""
        context = {name: tensor for name, tensor in context.items() if name != variable}
        content = _with_context({variable: value}, context)
        return Question(content, _digest({variable: value}), hashlib.sha256(content).hexdigest())

    def earlier_row(self, variable: str, question: Question) -> Comparison | None:
        """Return the row of the last comparison if asking again would give the same, else None.

        A step that passed does not depend on the gradients above it; whose mistake a wrong one is does.
        """
        answered = self._answered.get(variable)
        if answered is None:
            return None
        if question.whole == answered.question.whole:
            return answered.row
        return answered.row if answered.row.passed and question.alone == answered.question.alone else None

    def add(self, variable: str, value: Tensor, context: Mapping[str, Tensor], *, passed: bool) -> None:
        """Keep a gradient that was compared. It joins the draft unless the server has it already.

        The last value of a step counts. But one that passed is not overwritten: it stays in the outbox with the draft
        as it is, and a new draft begins.
        """
        self.values[variable] = value
        if self._workspace.has_attempts_max:
            return
        digest = _digest({variable: value})
        if variable in self._passed and digest != _digest({variable: self._new[variable]}):
            self._begin_draft()
        if digest == self._kept.get(variable):
            return
        self._new[variable] = value
        if passed:
            self._passed.add(variable)
        others = {name: tensor for name, tensor in context.items() if name not in self._new}
        content = _with_context(self._new, others)
        self._draft = self._outbox.put(content, self.key(content), replaces=self._draft)

    def _begin_draft(self) -> None:
        self._draft, self._new, self._passed = None, {}, set()

    def answered(self, variable: str, question: Question, row: Comparison) -> None:
        """Remember the server's row, so that the same question is not asked again."""
        self._answered[variable] = _Answered(question, row)

    def is_covered_by(self, answers: Mapping[str, Tensor]) -> bool:
        """Return whether nothing waits in the outbox but a draft that these answers hold too."""
        others = len(self._outbox) - (self._draft is not None)
        return others <= 0 and self._is_draft_in(answers)

    def _is_draft_in(self, answers: Mapping[str, Tensor]) -> bool:
        return all(
            name in answers and _digest({name: answers[name]}) == _digest({name: value})
            for name, value in self._new.items()
        )

    def wait_with(self, answers: Mapping[str, Tensor], content: bytes) -> None:
        """Let all answers wait in the outbox. A draft that they hold too goes."""
        if self._waiting_key != self.key(content):
            replaced = self._draft if self._is_draft_in(answers) else None
            self._outbox.put(content, self.key(content), replaces=replaced)
            self._waiting_key = self.key(content)
            self._begin_draft()

    def were_kept(self, answers: Mapping[str, Tensor]) -> None:
        """Take notice that the server keeps these answers, which cover the draft."""
        if self._draft is not None:
            self._outbox.remove(self._draft)
        self._begin_draft()
        self._kept |= {name: _digest({name: value}) for name, value in answers.items()}

    def outbox_was_sent(self) -> None:
        """Take notice that the outbox is empty: the server keeps the draft."""
        self._kept |= {name: _digest({name: value}) for name, value in self._new.items()}
        self._waiting_key = None
        self._begin_draft()

    def key(self, content: bytes) -> str:
        """Return the idempotency key of an answer. The same answer has the same, so it is one submission for ever."""
        place = f"{self._workspace.course} {self._workspace.exercise} {self._workspace.digest}".encode()
        return f"notebook-{hashlib.sha256(place + hashlib.sha256(content).digest()).hexdigest()[:KEY_LETTERS]}"


def gradients_in(namespace: Mapping[str, Any], workspace: Workspace) -> dict[str, Tensor]:
    """Return the ``d…`` variables of a namespace that are a step's gradient, as far as they are tensors."""
    found = {}
    for checkpoint in workspace.checkpoints:
        value = namespace.get(checkpoint.variable)
        if value is None:
            continue
        try:
            tensor = tensors.plain(checkpoint.variable, value)
        except NotATensor:
            continue
        if tensor.is_floating_point():
            found[checkpoint.variable] = tensor
    return found


def _with_context(answers: Mapping[str, Tensor], context: Mapping[str, Tensor]) -> bytes:
    """Return answers as safetensors bytes, with the context unless it is too large."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in context.values())
    if size > CONTEXT_BYTES_MAX:
        context = {}
    return tensors.save({**answers, **{CONTEXT_PREFIX + name: tensor for name, tensor in context.items()}})


def _digest(answers: Mapping[str, Tensor]) -> str:
    return hashlib.sha256(tensors.save(answers)).hexdigest()
