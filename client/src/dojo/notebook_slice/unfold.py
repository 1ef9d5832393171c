"""Blocks and functions that hold answers, unfolded: their statements stand alone, as they would in a cell.

A script has its derivation in ``main()``, under ``if __name__ == "__main__"``, or in a function that returns the
gradients. As one statement it could only be taken whole, with the dataset's reading and torch's backward pass.

A function is unfolded once, where it is called. Its parameters get the arguments as values, and ``return`` becomes an
assignment. What is local in it then has a name at the top; if two names clash, the later value counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import IntEnum

from dojo.notebook_slice.cells import Cell, first_line
from dojo.notebook_slice.dataflow import Function
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.statements import Part, section_by_name

_PLAIN_CONTEXTS = frozenset("no_grad inference_mode enable_grad set_grad_enabled detect_anomaly autocast".split())
_ANSWERS_IN_A_BLOCK_MIN = 2  # an ``if`` with so many answers in it is no fork between two ways of one answer
_DEPTH_MAX = 12


class Unfolding(IntEnum):
    """What is unfolded. Each level includes those before it."""

    CALLS = 1  # blocks that run once, and functions that are called
    FUNCTIONS = 2  # functions and methods that nobody calls
    LOOPS = 3  # loops that train, for their first round


def unfold(parts: list[Part], goal: Goal, unfolding: Unfolding) -> list[Part]:
    """Return the parts with blocks and functions unfolded."""
    return _with_sections(_Unfolder(parts, goal, unfolding).parts())


def _with_sections(parts: Iterable[Part]) -> list[Part]:
    """Return the parts with the exercises that the headings inside of functions and the lecture's names announce."""
    result = []
    by_name: int | None = None
    heading: object = None
    for part in parts:
        line = first_line(part.node)
        own = [entry for entry in part.cell.sections if entry[0] <= line]
        section = own[-1][1] if own else part.section
        if (part.cell.number, section) != heading:
            heading, by_name = (part.cell.number, section), None
        by_name = section_by_name(part.node) or by_name
        result.append(part if part.as_written else replace(part, section=by_name or section))
    return result


class _Unfolder:
    def __init__(self, parts: list[Part], goal: Goal, unfolding: Unfolding) -> None:
        self._parts = parts
        self._goal = goal
        self._unfolding = unfolding
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._cells: dict[str, Cell] = {}  # in which each function is
        self._relevant: dict[ast.AST, bool] = {}
        self._unfolded: set[ast.AST] = set()  # several functions may have one name, as the cells of marimo have
        for part in parts:
            for node in ast.walk(part.node):
                if isinstance(node, Function) and not _is_method(part.node, node):
                    self._functions.setdefault(node.name, node)
                    self._cells.setdefault(node.name, part.cell)

    def parts(self) -> Iterator[Part]:
        """Yield the parts."""
        unfolded = [each for part in self._parts for each in self._unfold(part, 0)]
        for part in unfolded:
            yield part
            if self._unfolding >= Unfolding.FUNCTIONS:
                for function in self._uncalled(part.node):
                    self._unfolded.add(function)
                    yield from self._body(part, function.body, None, 0)

    def _uncalled(self, node: ast.stmt) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the functions and methods that a statement defines, that hold answers, and that nobody calls."""
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        functions = [member for member in members if isinstance(member, Function)]
        return [each for each in functions if each not in self._unfolded and self._holds_answers(each)]

    def _unfold(self, part: Part, depth: int) -> Iterator[Part]:
        node = part.node
        block = None if depth > _DEPTH_MAX else self._block_of(node)
        call = None if depth > _DEPTH_MAX else self._call_in(node)
        if block is not None:
            yield from self._block(part, block, depth)
        elif call is not None:
            yield from self._inlined(part, call, depth)
        else:
            yield part

    def _block_of(self, node: ast.stmt) -> list[ast.stmt] | None:
        """Return the statements of a block that runs once, or None."""
        match node:
            case ast.If() if _is_main_guard(node.test):
                return node.body
            case ast.With() | ast.AsyncWith() if all(_is_plain_context(item) for item in node.items):
                return node.body
            case ast.Try() if any(self._call_in(statement) is not None for statement in node.body):
                return [*node.body, *node.orelse, *node.finalbody]
            case ast.If() if self._unfolding >= Unfolding.LOOPS and self._answers_in(node):
                return node.body
            case ast.For() | ast.While() if self._is_exercise_1_in_a_loop(node):
                return _first_round(node)
        return None

    def _block(self, part: Part, statements: Iterable[ast.stmt], depth: int) -> Iterator[Part]:
        for statement in statements:
            yield from self._unfold(replace(part, node=statement, as_written=False), depth + 1)

    # -- functions ----------------------------------------------------------------------------------

    def _call_in(self, node: ast.stmt) -> ast.Call | None:
        """Return the call of a function with answers in a statement, if the statement is nothing but that."""
        if not isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) or node.value is None:
            return None
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        if not isinstance(value, ast.Call):
            return None
        if isinstance(value.func, ast.Name) and self._is_unfoldable(value.func.id):
            return value
        if isinstance(node, ast.Expr):  # sys.exit(main()), print(run(x)), fire.Fire(main)
            for argument in value.args:
                called = isinstance(argument, ast.Call) and isinstance(argument.func, ast.Name)
                if isinstance(argument, ast.Call) and called and self._is_unfoldable(argument.func.id):  # type: ignore[attr-defined]
                    return argument
                if isinstance(argument, ast.Name) and self._is_unfoldable(argument.id):
                    return ast.copy_location(ast.Call(argument, [], []), value)
        return None

    def _is_unfoldable(self, name: str) -> bool:
        function = self._functions.get(name)
        if function is None or function in self._unfolded or not self._holds_answers(function):
            return False
        return not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))

    def _inlined(self, part: Part, call: ast.Call, depth: int) -> Iterator[Part]:
        assert isinstance(call.func, ast.Name)
        function = self._functions[call.func.id]
        self._unfolded.add(function)
        for name, value in _arguments(function.args, call):
            if not (isinstance(value, ast.Name) and value.id == name):
                assignment = ast.Assign([ast.Name(name, ast.Store())], value)
                yield replace(part, node=_placed(assignment, part.node), as_written=False)
        inside = replace(part, cell=self._cells[function.name])
        yield from self._body(inside, function.body, _assigned(part.node, call), depth)

    def _body(self, part: Part, body: list[ast.stmt], result: list[ast.expr] | None, depth: int) -> Iterator[Part]:
        """Yield the statements of a function's body, up to its ``return``."""
        for statement in body:
            if isinstance(statement, ast.Return):
                for name, value in self._gradients_in(statement.value):
                    assignment = _placed(ast.Assign([ast.Name(name, ast.Store())], value), statement)
                    yield replace(part, node=assignment, as_written=False)
                if statement.value is not None and result:
                    assignment = _placed(ast.Assign(result, statement.value), statement)
                    yield from self._unfold(replace(part, node=assignment, as_written=False), depth + 1)
                return
            if not _is_docstring(statement) and not isinstance(statement, ast.Global | ast.Nonlocal):
                yield from self._unfold(replace(part, node=statement, as_written=False), depth + 1)

    def _gradients_in(self, node: ast.expr | None) -> Iterator[tuple[str, ast.expr]]:
        """Yield the answers that only a returned dict names: ``return {"b1": dhprebn.sum(0), …}``."""
        pairs: list[tuple[object, ast.expr]] = []
        if isinstance(node, ast.Dict):
            pairs = [(key.value, value) for key, value in zip(node.keys, node.values) if isinstance(key, ast.Constant)]  # noqa: B905
        elif isinstance(node, ast.Call):
            pairs = [(keyword.arg, keyword.value) for keyword in node.keywords]
        named = [(name, value) for key, value in pairs for name in (key, f"d{key}") if name in self._goal.variables]
        read = {part.id for _, value in named for part in ast.walk(value) if isinstance(part, ast.Name)}
        if read & self._goal.variables:  # else these are tensors of the forward pass
            for name, value in named:
                if not (isinstance(value, ast.Name) and value.id in self._goal.variables):
                    yield str(name), value

    def _holds_answers(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Return whether a function gives values to answers, compares them, or calls a function that does."""
        if function not in self._relevant:
            self._relevant[function] = False  # of functions that call each other, the first answers
            self._relevant[function] = any(self._is_answer(node) for node in ast.walk(function)) or any(
                self._holds_answers(self._functions[node.func.id])
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._functions
            )
        return self._relevant[function]

    def _is_answer(self, node: ast.AST) -> bool:
        return answer_of(node, self._goal) is not None

    def _answers_in(self, node: ast.AST) -> int:
        answers = {answer_of(part, self._goal) for part in ast.walk(node)} - {None}
        return len(answers) if len(answers) > _ANSWERS_IN_A_BLOCK_MIN else 0

    # -- loops --------------------------------------------------------------------------------------

    def _is_exercise_1_in_a_loop(self, node: ast.For | ast.While) -> bool:
        """Return whether a loop holds the first step, which only exercise 1 has: no other loop is unfolded."""
        if self._unfolding < Unfolding.LOOPS or self._goal.section in (2, 3):
            return False
        first = next(iter(self._goal.checkpoint_by_variable))
        answers = {answer_of(part, self._goal) for part in ast.walk(node)} - {None}
        return first in answers and len(answers) > _ANSWERS_IN_A_BLOCK_MIN


def answer_of(node: ast.AST, goal: Goal) -> str | None:
    """Return the answer that a node gives a value to: ``dh``, ``self.dh``, ``grads["h"]``; or None."""
    if not isinstance(getattr(node, "ctx", None), ast.Store):
        return None
    if isinstance(node, ast.Name) and node.id in goal.variables:
        return node.id
    if isinstance(node, ast.Attribute) and node.attr in goal.variables:
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        key = node.slice.value
        if key in goal.variables:
            return key
        return f"d{key}" if f"d{key}" in goal.variables else None
    return None


def _is_method(part: ast.stmt, function: ast.AST) -> bool:
    return isinstance(part, ast.ClassDef) and function in part.body


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test)
    )


def _is_plain_context(item: ast.withitem) -> bool:
    call = item.context_expr
    function = call.func if isinstance(call, ast.Call) else None
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
    return name in _PLAIN_CONTEXTS


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _arguments(parameters: ast.arguments, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the parameters that have a value in a call, and the value."""
    names = [parameter.arg for parameter in (*parameters.posonlyargs, *parameters.args)]
    values: dict[str, ast.expr] = dict(zip(names[::-1], parameters.defaults[::-1]))  # noqa: B905  (the last ones)
    for parameter, default in zip(parameters.kwonlyargs, parameters.kw_defaults):  # noqa: B905  (of one length)
        if default is not None:
            values[parameter.arg] = default
    plain = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
    values |= dict(zip(names, plain))  # noqa: B905  (the rest has defaults)
    values |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    yield from values.items()


def _assigned(node: ast.stmt, call: ast.Call) -> list[ast.expr] | None:
    """Return what a statement assigns the result of a call to, or None."""
    if isinstance(node, ast.Assign) and node.value in (call, getattr(call, "value", None)):
        return node.targets
    if isinstance(node, ast.AnnAssign) and node.value is call:
        return [node.target]
    return None


def _first_round(node: ast.For | ast.While) -> list[ast.stmt]:
    """Return the statements of a loop's first round."""
    body = [statement for statement in node.body if not _leaves(statement)]
    if isinstance(node, ast.While):
        return body
    first = ast.Call(ast.Name("next", ast.Load()), [ast.Call(ast.Name("iter", ast.Load()), [node.iter], [])], [])
    return [_placed(ast.Assign([node.target], first), node), *body]


def _leaves(node: ast.stmt) -> bool:
    """Return whether a statement only leaves a loop: ``break``, or ``if done: break``."""
    if isinstance(node, ast.Break | ast.Continue):
        return True
    return isinstance(node, ast.If) and any(isinstance(part, ast.Break | ast.Continue) for part in node.body)


def _placed(new: ast.stmt, at: ast.stmt) -> ast.stmt:
    return ast.fix_missing_locations(ast.copy_location(new, at))
