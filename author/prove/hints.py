"""Whether a text gives an answer away: statement, hints, notes in the forward pass, and the grader's own hints.

Code in a text is read as lines of the language, never run as Python, and evaluated on the forward state and the right
gradients. What comes out as a gradient that is asked for is an answer, however it is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from torch import Tensor

from author.mistakes.grading import Outcome
from author.mistakes.key import Line
from author.prove.findings import Fault, FaultAt, Finding, finding
from author.prove.subject import Subject
from exercises.language import reader
from exercises.language.errors import Refused
from exercises.language.expression import evaluated
from exercises.tape import variables
from grader.rounding.closeness import close

CHECK: Final = "hints"
SHORT: Final = 8  # characters; a shorter line, such as dh.sum(), stands in many sentences
_FENCE: Final = re.compile(r"^ *```.*?$(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_SETS: Final = re.compile(r"^[ \->*]*(d\w+ *[-+*/]?=[^=].*)$", re.MULTILINE)


def hints(subject: Subject, graded: Sequence[Outcome] = ()) -> Finding:
    """Check that no text of the exercise holds an answer, nor a sentence of the grader about a mistake."""
    texts = dict(_texts(subject))
    said = {f"diagnosis of {each.mistake.step}": " ".join(each.messages) for each in graded}
    return finding(CHECK, _faults(subject, texts, said), texts=len(texts) + len(said))


def _texts(subject: Subject) -> Iterator[tuple[str, str]]:
    """Yield what a student reads before a step passed."""
    exercise = subject.exercise
    yield "summary", exercise.summary
    yield "statement", exercise.statement
    for name, hint in exercise.hints.items():
        yield f"hint of {name}", hint
    comments = [line.partition("#")[2] for line in exercise.forward.text.splitlines() if "#" in line]
    yield "forward pass", "\n".join(comments)


def _faults(subject: Subject, texts: Mapping[str, str], said: Mapping[str, str]) -> Iterator[FaultAt]:
    expected = subject.reference(0)
    telling = {
        name: expected.gradients[name]
        for name in subject.asked
        if name in expected.gradients and name not in expected.vanishing
    }
    samples = _samples(expected.state, telling)
    try:
        written = _written(subject.lines, telling)
    except Refused:  # ``right_key`` says so
        written = {}
    for label, text in texts.items():
        subject.progress(f"reads the {label}")
        for code in _code_in(text):
            name = _answers(code, samples, telling) or _quotes(code, written)
            if name is not None:
                yield FaultAt(Fault.GIVES_AWAY, name, {"text": label, "code": code})
    for label, text in said.items():  # the grader's own sentences quote the forward pass, and never a key
        for code in _SPAN.findall(text):
            name = _quotes(code, written)
            if name is not None:
                yield FaultAt(Fault.GIVES_AWAY, name, {"text": label, "code": code})


def _samples(state: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what code in a text may read; everything has a gradient, so that each line is a step."""
    named = {**variables(state), **{f"d{name}": gradient for name, gradient in gradients.items()}}
    floats = {name for name, value in named.items() if isinstance(value, Tensor) and value.is_floating_point()}
    return {name: value.detach().clone().requires_grad_() if name in floats else value for name, value in named.items()}


def _code_in(text: str) -> list[str]:
    """Return the pieces of a text that may be code: fenced lines, spans, and lines that set a gradient."""
    fenced = [line for block in _FENCE.findall(text) for line in block.splitlines()]
    rest = _FENCE.sub("", text)
    pieces = [*fenced, *_SPAN.findall(rest), *_SETS.findall(rest)]
    return list(dict.fromkeys(piece.strip() for piece in pieces if piece.strip()))


def _answers(code: str, samples: Mapping[str, Any], telling: Mapping[str, Tensor]) -> str | None:
    """Return the checkpoint whose gradient a piece of code computes; None if it computes none."""
    sets = re.match(r"(\w+)\s*=(?!=)\s*(.+)", code, re.DOTALL)
    expression = sets[2] if sets else code
    if re.fullmatch(r"[\w.]+", expression):  # a name, or one with a shape, is no derivation
        return None
    try:
        forward = reader.read(f"answer_ = {expression}\n", samples)
        read = forward.lines[-1]
        if read.name != "answer_":
            return None
        value = _evaluated(read, samples)
    except (Refused, SyntaxError, RuntimeError, LookupError, TypeError, ValueError, AssertionError):
        return None
    for name, gradient in telling.items():
        if isinstance(value, Tensor) and value.shape == gradient.shape and close(value, gradient):
            return name
    return None


def _evaluated(line: Any, samples: Mapping[str, Any]) -> Any:
    value = evaluated(line.expression, samples.__getitem__)
    return value.detach() if isinstance(value, Tensor) else value


def _written(lines: Iterable[Line], telling: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the key's right sides, without spaces → the checkpoint; those alone that take some deriving."""
    found = {}
    for line in lines:
        if line.name in telling:
            for statement in ast.parse(line.code).body:
                if isinstance(statement, ast.Assign | ast.AugAssign) and _takes_deriving(statement.value):
                    found[_bare(ast.unparse(statement.value))] = line.name
    return found


def _takes_deriving(node: ast.expr) -> bool:
    """Whether an expression holds a gradient and does something to it beyond a method without numbers."""
    holds = any(isinstance(each, ast.Name) and each.id[:1] == "d" and len(each.id) > 1 for each in ast.walk(node))
    works = any(isinstance(each, ast.BinOp | ast.Call) for each in ast.walk(node))
    return holds and works and len(ast.unparse(node)) > SHORT


def _quotes(code: str, written: Mapping[str, str]) -> str | None:
    """Return the checkpoint whose line of the key stands in a piece of code."""
    bare = _bare(code)
    return next((name for text, name in written.items() if text in bare), None)


def _bare(code: str) -> str:
    return re.sub(r"[\s()]", "", code)
