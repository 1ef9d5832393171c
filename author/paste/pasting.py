"""Read a file into an exercise's lines and given, and prove that they say the same as the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from author.paste import original
from author.paste.document import Document
from author.paste.vanishing import LISTED_MAX, vanishing
from author.wording import listed
from exercises.language import autocut, given, loss, reader
from exercises.language.errors import GivenRefused, Refused
from exercises.language.forward import Forward, Note
from exercises.language.given import Drawn, Given
from exercises.language.text import comments_of, shown
from exercises.tape import Tape

SEEDS: Final = (0, 1)
_RELATIVE: Final = 1e-4  # of the largest element of a gradient; two orders of float32 sums differ by less
_ABSOLUTE: Final = 1e-6  # of the loss, for gradients that vanish


@dataclass(frozen=True)
class Pasted:
    """An exercise in the making: the texts of ``given.py`` and ``forward.py``, and what its author should know.

    ``compared`` says whether the gradients were compared with the original's own. ``vanishing`` has no gradient,
    whatever the numbers are.
    """

    given: str
    lines: str
    forward: Forward
    notes: tuple[Note, ...]
    compared: bool
    vanishing: tuple[str, ...] = ()


def paste(document: Document, *, cut: bool = True, run_original: bool = False) -> Pasted:
    """Return a document as an exercise. ``run_original`` runs its lines as Python: on the author's own machine only.

    :raises Refused: it is not in the language, or the original has other gradients
    """
    parts = _read_given(document.given)
    samples = parts.samples()
    comments = comments_of(document.lines)
    uncut = reader.read(document.lines, samples, document.models, keep_spelling=cut)
    forward = loss.to_loss(uncut, samples, comments)
    if cut:
        whole = (*parts.drawn, *forward.drawn)
        params = [each.name for each in whole if each.is_param]
        forward = autocut.cut(forward, params, [*parts.constants, *(each.name for each in whole)], comments)
    pasted = Pasted(
        _given_text(document.given, forward.drawn), shown(forward.lines, comments) + "\n", forward, forward.notes, False
    )
    again = read_back(pasted)
    pasted = _with_notes(pasted, again)
    if not run_original:
        return pasted
    name = _loss_name(uncut)
    return compared(pasted, again, lambda tensors: original.run(document, tensors, uncut.drawn, name))


def _with_notes(pasted: Pasted, parts: Given) -> Pasted:
    """Return a pasted document with a note on each name that has no gradient."""
    forward, notes = pasted.forward, list(pasted.notes)
    for name in parts.params:
        if name not in forward.with_gradient:
            readers = [line for line in forward.lines if name in line.reads]
            why = "it is read behind a wall alone" if readers else "the loss does not depend on it"
            number = readers[0].number if readers else 1
            notes.append(Note(number, f"{name} is not asked for: {why}, so it has no gradient"))
    found = vanishing(forward, parts)
    at = forward.by_name["loss"].number
    notes += [
        Note(
            at,
            f"no gradient {each.reason}: {listed(each.parts, LISTED_MAX)}; declared as vanishing, so zeros pass there",
        )
        for each in found
    ]
    return replace(pasted, notes=tuple(notes), vanishing=tuple(part for each in found for part in each.parts))


def _read_given(text: str) -> Given:
    try:
        return given.read(text)
    except Refused as refused:
        raise GivenRefused(refused.line, refused.reason, refused.advice) from refused


def read_back(pasted: Pasted) -> Given:
    """Return what is given once more, after the written lines read back to the same steps.

    :raises Refused: they do not
    """
    again = given.read(pasted.given)
    forward = reader.read(pasted.lines, again.samples())
    for line, other in zip(pasted.forward.lines, forward.lines, strict=False):
        if (line.name, line.expression, line.frozen) != (other.name, other.expression, other.frozen):
            raise Refused(line.number, f"{line.text!r} does not read back", "Write the line in simpler parts.")
    if len(pasted.forward.lines) != len(forward.lines):
        raise Refused(1, "the lines do not read back", "Write them in simpler parts.")
    return again


def compared(pasted: Pasted, again: Given, run: Callable[[dict[str, Tensor]], Mapping[str, Tensor]]) -> Pasted:
    """Return a pasted document whose gradients are those of the original.

    ``run`` gives the original's loss and gradients for the numbers of what is given.

    :raises Refused: they are not
    """
    for seed in SEEDS:
        tensors = again.draw(seed)
        try:
            right = run(tensors)
        except original.CannotRun as error:
            note = Note(1, f"not compared: the original does not run here ({error})")
            return replace(pasted, notes=(*pasted.notes, note))
        _check(pasted, gradients(pasted.forward, again, seed), right, again.params)
    return replace(pasted, compared=True)


def gradients(forward: Forward, parts: Given, seed: int) -> dict[str, Tensor]:
    """Return the loss and the gradient of each named tensor, as an exercise has them."""
    tape = Tape(parts.tensors(seed), parts.data)
    forward.play(tape)
    torch.autograd.backward(tape.loss)
    return {**tape.gradients(), "loss": tape.loss.detach()}


def _check(pasted: Pasted, ours: Mapping[str, Tensor], right: Mapping[str, Tensor], params: tuple[str, ...]) -> None:
    scale = _largest(right["loss"])
    for name in ("loss", *params):
        missing = torch.zeros(())
        expected, found = torch.broadcast_tensors(right.get(name, missing), ours.get(name, missing))
        if not torch.equal(expected.isfinite(), found.isfinite()):
            raise _differs(pasted, name, "in what is finite")
        difference = _largest(expected - found)
        if difference > _RELATIVE * _largest(expected) + _ABSOLUTE * max(1.0, scale):
            raise _differs(pasted, name, f"by {difference:.2g}")


def _largest(tensor: Tensor) -> float:
    """Return the largest finite absolute value."""
    return float(tensor.abs().nan_to_num(0.0, 0.0, 0.0).max())


def _differs(pasted: Pasted, name: str, how: str) -> Refused:
    return Refused(
        pasted.forward.lines[-1].number,
        f"the gradient of {name} differs from the original's {how}",
        "Tell the developers which line is read wrongly, and write it in simpler parts.",
    )


def _loss_name(forward: Forward) -> str:
    steps = [line.name for line in forward.lines if not line.frozen]
    return steps[-1] if steps else "loss"


def _given_text(text: str, drawn: tuple[Drawn, ...]) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join([*lines, *(_drawn_line(each) for each in drawn)]) + "\n"


def _drawn_line(drawn: Drawn) -> str:
    words = [*map(str, drawn.shape), *(f"{key}={value!r}" for key, value in drawn.options.items())]
    call = f"{drawn.kind}({', '.join(words)})"
    return f"{drawn.name} = {call if drawn.kind == 'param' or not drawn.is_param else f'param({call})'}"
