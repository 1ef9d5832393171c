"""A look at the answers on the student's own machine: names, shapes, dtypes, finite. No server, no
verdict."""

from __future__ import annotations

import contextlib
import io
import traceback
from dataclasses import dataclass
from typing import Any

from dojo import tensors
from dojo.handin import Code, Handin
from dojo.records import Checkpoint
from dojo.tensors import Described, Misfit, describe
from dojo.workspace import Workspace


@dataclass(frozen=True)
class Finding:
    """One answer. ``problem`` is a sentence, or None where all is well; ``note`` is one that does no harm."""

    name: str
    shape: tuple[int, ...] | None
    dtype: str | None
    problem: str | None = None
    note: str | None = None

    @property
    def missing(self) -> bool:
        return self.shape is None

    def line(self) -> str:
        state = self.problem or "fits" + (f" ({self.note})" if self.note else "")
        shape = str(list(self.shape)) if self.shape is not None else "-"
        return f"{self.name:15s} | shape: {shape:12s} | {self.dtype or '-':8s} | {state}"


@dataclass(frozen=True)
class Check:
    """``error`` is the traceback of code that did not run to its end; ``printed`` is what it printed."""

    findings: tuple[Finding, ...]
    error: str | None
    printed: str

    @property
    def good(self) -> bool:
        return self.error is None and not any(each.problem for each in self.findings)


def check(workspace: Workspace, handin: Handin) -> Check:
    """Run the code on the pulled state, or look into the tensors. Raises TorchMissing for code without
    torch."""
    error, printed = None, ""
    if isinstance(handin, Code):
        answers, error, printed = _run(workspace, handin)
    else:
        found = describe(handin.content, handin.path)
        answers = {workspace.answer(name) or name: each for name, each in found.items()}
    shapes = tensors.shapes(workspace.state(), workspace.state_path)
    findings = [_look(each, answers, each.shape or shapes.get(each.name)) for each in workspace.checkpoints]
    return Check(tuple(findings), error, printed)


def _run(workspace: Workspace, code: Code) -> tuple[dict[str, Any], str | None, str]:
    """The student's own code, on the student's own machine: variables after it, its traceback, what it
    printed."""
    namespace = tensors.load(workspace.state())
    import torch
    import torch.nn.functional as functional

    compared: dict[str, Any] = {}
    handed_out = dict(namespace)
    states = {id(each) for each in handed_out.values()}

    def cmp(*arguments: Any, **named: Any) -> None:
        """In whatever order: the text is the name, and what was not handed out is the gradient."""
        values = [*arguments, *named.values()]
        texts = [each for each in values if isinstance(each, str)]
        others = [each for each in values if not isinstance(each, str)]
        if texts and others:
            gradient = next((each for each in others if id(each) not in states), others[0])
            name = workspace.answer(texts[0].strip()) or texts[0]
            compared[name] = gradient.clone() if isinstance(gradient, torch.Tensor) else gradient

    namespace |= {
        "torch": torch,
        "F": functional,
        "cmp": cmp,
        "__name__": "__main__",
        "__file__": str(code.path),
    }
    printed = io.StringIO()
    error = None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code.source, str(code.path), "exec"), namespace)
            answers = _returned(workspace, namespace, handed_out)
        except (Exception, SystemExit) as problem:
            trace = traceback.TracebackException.from_exception(problem)
            trace.stack = traceback.StackSummary.from_list([each for each in trace.stack if each.name != "_run"])
            error = "".join(trace.format())
            answers = {}
    return namespace | answers | compared, error, printed.getvalue()


def _returned(workspace: Workspace, namespace: dict[str, Any], handed_out: dict[str, Any]) -> dict[str, Any]:
    """What a function `backward(state)` returns, where there is one; its keys may be `logits` or
    `dlogits`."""
    code = getattr(namespace.get("backward"), "__code__", None)
    if code is None or code.co_argcount != 1 or code.co_varnames[0] != "state":
        return {}
    found = namespace["backward"](handed_out)
    return {workspace.answer(name) or name: each for name, each in found.items()} if isinstance(found, dict) else {}


def _look(checkpoint: Checkpoint, answers: dict[str, Any], expected: tuple[int, ...] | None) -> Finding:
    value = answers.get(checkpoint.answer)
    if value is None:
        return Finding(checkpoint.name, None, None, f"{checkpoint.answer} is not there yet")
    try:
        found = value if isinstance(value, Described) else _described(checkpoint.answer, value)
    except Misfit as error:
        return Finding(checkpoint.name, None, None, str(error))
    problem = note = None
    if found.finite is None:
        problem = f"{found.dtype} cannot hold a gradient; use float32"
    elif expected is not None and not _broadcasts(found.shape, expected):
        problem = f"shape {list(found.shape)} does not fit {list(expected)}"
    elif not found.finite:
        problem = "holds NaN or infinite numbers"
    elif expected is not None and found.shape != expected:
        note = f"{list(expected)} by broadcasting"
    elif found.dtype != "float32":
        note = "compared as float32"
    return Finding(checkpoint.name, found.shape, found.dtype, problem, note)


def _described(name: str, value: Any) -> Described:
    return describe(tensors.save({name: value}))[name]


def _broadcasts(given: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether the two shapes go together, as `cmp` compares them."""
    pairs = zip(reversed(given), reversed(expected), strict=False)
    return 0 not in given and all(1 in (have, want) or have == want for have, want in pairs)
