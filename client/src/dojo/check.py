"""A check of answers on the student's own machine: names, shapes, dtypes, finite numbers. It needs no server."""

from __future__ import annotations

import contextlib
import io
import traceback
from dataclasses import dataclass
from typing import Any

from dojo import tensors
from dojo.api.responses import Checkpoint
from dojo.files.answer_file import AnswerFile, CodeFile
from dojo.files.workspace import Workspace
from dojo.tensors import NotATensor, TensorInfo, describe


@dataclass(frozen=True)
class Finding:
    """The check of one answer.

    ``shape`` and ``dtype`` are None without a tensor: the answer is ``missing``, or is something else. ``problem`` is a
    sentence, or None if the answer fits; ``note`` is a sentence about an answer that fits.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: str | None
    problem: str | None = None
    note: str | None = None
    missing: bool = False

    def line(self) -> str:
        """Return the finding in the form of a row of ``cmp``."""
        conclusion = self.problem or "fits" + (f" ({self.note})" if self.note else "")
        shape = str(list(self.shape)) if self.shape is not None else "-"
        return f"{self.name:15s} | shape: {shape:12s} | {self.dtype or '-':8s} | {conclusion}"


@dataclass(frozen=True)
class CheckResult:
    """The check of a file. ``error`` is the traceback of code that failed, ``printed`` its standard output."""

    findings: tuple[Finding, ...]
    error: str | None
    printed: str

    @property
    def good(self) -> bool:
        """Whether the code ran to its end and every answer fits."""
        return self.error is None and not any(finding.problem for finding in self.findings)


@dataclass(frozen=True)
class _Run:
    """The variables after a run of code, its traceback or None, and its standard output."""

    variables: dict[str, Any]
    error: str | None
    printed: str


def check(workspace: Workspace, file: AnswerFile) -> CheckResult:
    """Run code on the pulled state, or look into tensors.

    :raises TorchMissing: the file is code, and torch is not installed
    """
    if isinstance(file, CodeFile):
        run = _run(workspace, file)
    else:
        described = describe(file.content, file.path)
        run = _Run({workspace.variable(name) or name: info for name, info in described.items()}, None, "")
    shapes = tensors.shapes(workspace.state(), workspace.state_path)
    findings = [
        _finding(checkpoint, run.variables.get(checkpoint.variable), checkpoint.shape or shapes.get(checkpoint.name))
        for checkpoint in workspace.checkpoints
    ]
    return CheckResult(tuple(findings), run.error, run.printed)


def _run(workspace: Workspace, file: CodeFile) -> _Run:
    """Run the student's code in this process: it is the student's own machine."""
    handed_out = tensors.load(workspace.state())
    import torch
    import torch.nn.functional as functional

    compared: dict[str, Any] = {}
    recording_cmp = _recording_cmp(workspace, handed_out, compared)
    namespace = {
        **handed_out,
        "torch": torch,
        "F": functional,
        "cmp": recording_cmp,
        "__cmp__": recording_cmp,  # for functions with another order of arguments
        "__name__": "__main__",
        "__file__": str(file.path),
    }
    returned: dict[str, Any] = {}
    error = None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(file.source, str(file.path), "exec"), namespace)
            returned = _returned_gradients(workspace, namespace, handed_out)
        except (Exception, SystemExit) as problem:
            trace = traceback.TracebackException.from_exception(problem)
            frames = [frame for frame in trace.stack if frame.name != "_run"]
            trace.stack = traceback.StackSummary.from_list(frames)
            error = "".join(trace.format())
    return _Run(namespace | returned | compared, error, printed.getvalue())


def _recording_cmp(workspace: Workspace, handed_out: dict[str, Any], compared: dict[str, Any]) -> Any:
    """Return a ``cmp`` that stores each gradient under its variable in ``compared``."""
    import torch

    name_by_id = {id(value): name for name, value in handed_out.items()}

    def cmp(*arguments: Any, **named_arguments: Any) -> None:
        """Accept any order, as the server does.

        The first value that is not handed out is the gradient; the last other one is the tensor, and decides.
        """
        values = [*arguments, *named_arguments.values()]
        texts = [value for value in values if isinstance(value, str)]
        others = [value for value in values if not isinstance(value, str)]
        if not others:
            return
        own = [value for value in others if id(value) not in name_by_id]
        gradient = next((value for value in own if not isinstance(value, (int, float))), (own or others)[0])
        tensors = [name_by_id.get(id(value), "") for value in others if value is not gradient]
        labels = [*reversed(tensors), *(text.strip() for text in texts), name_by_id.get(id(gradient), "")]
        variable = next((each for each in map(workspace.variable, labels) if each), None)
        if variable is not None:
            compared[variable] = gradient.clone() if isinstance(gradient, torch.Tensor) else gradient

    return cmp


def _returned_gradients(workspace: Workspace, namespace: dict[str, Any], handed_out: dict[str, Any]) -> dict[str, Any]:
    """Call ``backward(state)`` if the code defines it, and return its gradients by variable."""
    code = getattr(namespace.get("backward"), "__code__", None)
    if code is None or code.co_argcount != 1 or code.co_varnames[0] != "state":
        return {}
    gradients = namespace["backward"](handed_out)
    if not isinstance(gradients, dict):
        return {}
    return {workspace.variable(name) or name: gradient for name, gradient in gradients.items()}


def _finding(checkpoint: Checkpoint, value: Any, expected: tuple[int, ...] | None) -> Finding:
    """Check one answer. ``expected`` is the shape of the tensor, or None if it is not known."""
    if value is None:
        return Finding(checkpoint.name, None, None, f"{checkpoint.variable} is not there yet", missing=True)
    try:
        info = value if isinstance(value, TensorInfo) else _describe(checkpoint.variable, value)
    except NotATensor as error:
        return Finding(checkpoint.name, None, None, str(error))
    problem = note = None
    if info.finite is None:
        problem = f"{info.dtype} cannot hold a gradient; use float32"
    elif expected is not None and not _broadcasts(info.shape, expected):
        problem = f"shape {list(info.shape)} does not fit {list(expected)}"
    elif not info.finite:
        problem = "holds NaN or infinite numbers"
    elif expected is not None and info.shape != expected:
        note = f"{list(expected)} by broadcasting"
    elif info.dtype != "float32":
        note = "compared as float32"
    return Finding(checkpoint.name, info.shape, info.dtype, problem, note)


def _describe(name: str, value: Any) -> TensorInfo:
    return describe(tensors.save({name: value}))[name]


def _broadcasts(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Return whether a gradient of this shape broadcasts to the expected one, and to nothing larger.

    The server compares whatever broadcasts, as ``cmp`` does. But [1, 27] beside [32, 1] is right only by chance.
    """
    leading = shape[: max(len(shape) - len(expected), 0)]
    sizes = zip(reversed(shape), reversed(expected), strict=False)
    return all(size == 1 for size in leading) and all(size in (1, wanted) for size, wanted in sizes)
