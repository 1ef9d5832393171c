"""Read the text of a forward pass from the functions that play it.

No other module of the server reads it. The client reads the text that it gets by HTTP;
``tests/exercises/test_forward_source.py`` compares the two.
"""

from __future__ import annotations

import ast
import copy
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from exercises.tape import Piece, Tape


class BadForwardPass(ValueError):
    """A piece of a forward pass that cannot be read; the message says what to change."""


@dataclass(frozen=True)
class Line:
    """One step of a forward pass, such as ``t.h = torch.tanh(t.hpreact)``.

    ``name`` is what the step sets (``h``). ``text`` is the lecture's line, without a comment
    (``h = torch.tanh(hpreact)``).
    """

    name: str
    text: str
    _statement: ast.Assign = field(repr=False, compare=False)
    _piece: Piece = field(repr=False)

    @cached_property
    def _function(self) -> Callable[[Tape], None]:
        """This line as a function of a tape. To run a module's code anew costs half as much as the line itself."""
        target = self._statement.targets[0]
        assert isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
        tape = target.value.id
        definition = ast.parse(f"def line({tape}): pass").body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.body = [self._statement]
        names: dict[str, Callable[[Tape], None]] = {}
        exec(
            compile(ast.Module([definition], []), inspect.getfile(self._piece), "exec"), self._piece.__globals__, names
        )
        return names["line"]

    def without_small_constant(self, limit: float) -> tuple[Line, float] | None:
        """Return this line without the number below ``limit`` that it adds or takes off, and that number.

        None if it has no such number, or more than one.
        """
        remover = _ConstantRemover(limit)
        statement = remover.visit(copy.deepcopy(self._statement))
        if len(remover.removed) != 1:
            return None
        return replace(self, _statement=ast.fix_missing_locations(statement)), remover.removed[0]

    def play(self, tape: Tape) -> None:
        """Play this line alone on a tape."""
        self._function(tape)


class _ConstantRemover(ast.NodeTransformer):
    """Makes ``x`` of ``x + 1e-5`` and of ``x - 1e-5``."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self.removed: list[float] = []

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        number = node.right.value if isinstance(node.right, ast.Constant) else None
        if isinstance(node.op, ast.Add | ast.Sub) and isinstance(number, float) and 0 < number < self._limit:
            self.removed.append(number)
            return node.left
        return self.generic_visit(node)


@dataclass(frozen=True)
class PieceSource:
    """What is written in a piece: ``text`` as the lecture has it, with comments, and its lines."""

    text: str
    lines: tuple[Line, ...]


@cache  # an exercise has few pieces, and to parse one takes milliseconds
def read(piece: Piece) -> PieceSource:
    """Read a piece.

    :raises BadForwardPass: its source is not there, or holds anything but steps
    """
    source, function = _parse(piece)
    has_docstring = ast.get_docstring(function) is not None
    statements = function.body[has_docstring:]
    steps = [_step(function, statement) for statement in statements]
    first = function.body[0].end_lineno if has_docstring else _header_end(source, function)
    lines = _without_tape(source, function).splitlines()[first:]
    text = textwrap.dedent("\n".join(lines)).strip()
    return PieceSource(
        text,
        tuple(
            Line(name, _on_one_line(text, written), statement, piece)
            for (name, statement), written in zip(steps, ast.parse(text).body, strict=True)
        ),
    )


def _parse(piece: Piece) -> tuple[str, ast.FunctionDef]:
    """Return the source of a piece and its only definition.

    :raises BadForwardPass: it is no function of one tape, or its source is not there
    """
    try:
        source = textwrap.dedent(inspect.getsource(piece))
        (function,) = ast.parse(source).body
    except (OSError, TypeError, ValueError, SyntaxError) as error:
        raise BadForwardPass(
            f"The source of {_name(piece)} cannot be read. Write it as a function in a file."
        ) from error
    if not isinstance(function, ast.FunctionDef) or len(function.args.args) != 1:
        raise BadForwardPass(
            f"{_name(piece)} is no piece. Write it as a function of one tape: def forward(t: Tape) -> None"
        )
    if function.body[0].lineno == function.lineno:
        raise BadForwardPass(f"{function.name} stands on one line. Write its steps below the def.")
    return source, function


def _name(piece: Piece) -> str:
    return getattr(piece, "__qualname__", repr(piece))


def _tape_name(function: ast.FunctionDef) -> str:
    return function.args.args[0].arg


def _step(function: ast.FunctionDef, statement: ast.stmt) -> tuple[str, ast.Assign]:
    """Return what a statement sets on the tape, and the statement.

    :raises BadForwardPass: it is no ``t.name = expression``, or uses the tape other than by its names
    """
    tape = _tape_name(function)
    mentions = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id == tape]
    if len(mentions) == len(_mentions_before_a_name(statement, tape)):
        match statement:
            case ast.Assign([ast.Attribute(ast.Name(id=target), attr=name)]) if target == tape:
                return name, statement
    raise BadForwardPass(
        f"{function.name}: {ast.unparse(statement)!r} is no step. Write {tape}.name = expression, "
        f"where each value of the forward pass is {tape}.something."
    )


def _mentions_before_a_name(tree: ast.AST, tape: str) -> list[ast.Name]:
    """Return the ``t`` of each ``t.name`` that stands on one line."""
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == tape
        and node.lineno == node.end_lineno
    ]


def _header_end(source: str, function: ast.FunctionDef) -> int:
    """Return the number of the line that ends the header of a function, counted from 1."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return next(
        token.end[0] for token in tokens if token.type == tokenize.NEWLINE and token.start[0] >= function.lineno
    )


def _without_tape(source: str, function: ast.FunctionDef) -> str:
    """Return the source with ``h`` for each ``t.h``."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]  # ast counts columns in bytes of UTF-8
    mentions = _mentions_before_a_name(function, _tape_name(function))
    for mention in sorted(mentions, key=lambda mention: mention.col_offset, reverse=True):
        line = lines[mention.lineno - 1]
        rest = line[mention.end_col_offset :].lstrip().removeprefix(b".").lstrip()
        lines[mention.lineno - 1] = line[: mention.col_offset] + rest
    return b"".join(lines).decode()


def _on_one_line(text: str, statement: ast.stmt) -> str:
    """Return a statement as it is written, or spelled anew if it takes several lines."""
    segment = ast.get_source_segment(text, statement)
    return ast.unparse(statement) if segment is None or "\n" in segment else segment
