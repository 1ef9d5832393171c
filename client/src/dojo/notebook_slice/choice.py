"""The choice of the statements that the answers need.

1. Roots: for each checkpoint the last call of ``cmp`` for it, and the last value of its variable.
2. Each chosen statement needs the statements that make what it reads, up to the names that are handed out.
3. A statement that needs something which the grader does not have (files, ``.grad``) is left out, with a remark.

So the forward pass, plots, prints, the dataset and ``loss.backward()`` stay behind, and helpers come along.
"""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from dojo.notebook_slice.comparisons import CMP
from dojo.notebook_slice.dataflow import Function, parameters
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.kinds import Kinds
from dojo.notebook_slice.statements import Statement
from dojo.notebook_slice.transcript import STAND_INS

_GRADER_NAMES = frozenset({"torch", "F", CMP, *STAND_INS})
_BUILTINS = frozenset(dir(builtins))
NEAR_NAME_CUTOFF = 0.85  # of difflib: dlogit_max is near dlogit_maxes, and dlgts is near nothing


@dataclass(frozen=True)
class Choice:
    """The chosen statements in an order in which they can run, and sentences about what is left out."""

    statements: tuple[Statement, ...]
    remarks: tuple[str, ...]


def choose(statements: list[Statement], goal: Goal) -> Choice:
    """Choose the statements that the answers need."""
    chooser = _Chooser(statements, goal)
    in_order = chooser.in_order(chooser.chosen())
    return Choice(tuple(in_order), (*chooser.remarks, *_near_names(statements, goal)))


class _Chooser:
    def __init__(self, statements: list[Statement], goal: Goal) -> None:
        self.goal = goal
        sound = {name for statement in statements if not statement.cell.broken for name in statement.makes}
        # A broken cell cannot have been run as it stands, so an answer in a sound cell goes first.
        self.statements = [
            statement
            for statement in statements
            if not (statement.cell.broken and statement.makes & sound & goal.variables)
        ]
        self.kinds = Kinds(self.statements, goal)
        self.has_headings = any(statement.section == goal.section for statement in statements)
        self.star_imports = [statement for statement in self.statements if _is_star_import(statement.node)]
        self.remarks: dict[str, None] = {}
        self._available: dict[Statement, bool] = {}

    def chosen(self) -> set[Statement]:
        """Return the roots with everything that they need."""
        chosen: set[Statement] = set()
        pending = [root for root in sorted(self._roots(), key=_position) if self._is_available(root)]
        while pending:
            statement = pending.pop()
            if statement not in chosen:
                chosen.add(statement)
                pending += self._needs(statement)[0]
        return chosen

    def in_order(self, chosen: set[Statement]) -> list[Statement]:
        """Sort statements as the notebook has them, except that definitions in later cells come first.

        The student ran those cells earlier.
        """
        in_order: dict[Statement, None] = {}
        entered: set[Statement] = set()
        pending = [(statement, False) for statement in sorted(chosen, key=_position, reverse=True)]
        while pending:
            statement, ready = pending.pop()
            if ready:
                in_order[statement] = None
            elif statement not in entered:
                entered.add(statement)
                needed = sorted(self._needs(statement)[0], key=_position, reverse=True)
                pending += [(statement, True), *((need, False) for need in needed)]
        return list(in_order)

    # -- roots ------------------------------------------------------------------------------------

    def _roots(self) -> Iterable[Statement]:
        roots: dict[Statement, None] = {}
        compared = self.kinds.compared
        for variable, checkpoint in self.goal.checkpoint_by_variable.items():
            about_it = [
                statement
                for statement in self.kinds.usable
                if variable in statement.makes or checkpoint in compared[statement]
            ]
            about_it = self._in_section(about_it) or about_it
            if not self.has_headings:
                about_it = self._before_next_exercise(variable, about_it)
            comparing = [statement for statement in about_it if checkpoint in compared[statement]]
            making = [statement for statement in about_it if variable in statement.makes]
            roots |= dict.fromkeys(self._last_available(comparing))
            roots |= dict.fromkeys(self._last_value(variable, making))
        named_at_run_time = [statement for statement in self.kinds.usable if compared[statement] == {""}]
        roots |= dict.fromkeys(self._in_section(named_at_run_time))
        roots |= dict.fromkeys(statement for statement in self.statements if _is_backward_of_state(statement.node))
        return roots

    def _last_available(self, statements: list[Statement]) -> list[Statement]:
        return next(([statement] for statement in reversed(statements) if self._is_available(statement)), [])

    def _last_value(self, variable: str, makers: list[Statement]) -> list[Statement]:
        """Return the last available statement that binds the variable, and those that change it afterwards."""
        value = []
        for statement in reversed(makers):
            value.append(statement)
            if variable in statement.flow.binds and self._is_available(statement):
                break
        return value

    def _in_section(self, statements: list[Statement]) -> list[Statement]:
        """Return the statements under the exercise's own heading, or if there are none, those under no heading."""
        section = self.goal.section
        if section is None:
            return statements
        own = [statement for statement in statements if statement.section == section]
        return own or [statement for statement in statements if statement.section is None]

    def _before_next_exercise(self, variable: str, makers: list[Statement]) -> list[Statement]:
        """Return the makers before the variable is bound anew without the answers that it was made of so far.

        Without headings, this is how the lecture's exercises 2 and 3 show: they make dlogits and dhprebn in one go.
        """
        sources: set[str] = set()
        begins = [index for index, statement in enumerate(makers) if variable in statement.flow.binds]
        for begin, end in zip(begins, [*begins, len(makers)][1:], strict=True):
            behind = self._answers_behind(makers[begin:end]) - {variable}
            if sources and not sources & behind:
                return makers[:begin]
            sources |= set[str]().union(*(statement.flow.reads for statement in makers[begin:end])) & behind
        return makers

    def _answers_behind(self, statements: list[Statement]) -> set[str]:
        """Return the answers that the statements, or what they need, read."""
        visited: set[Statement] = set()
        pending = list(statements)
        while pending:
            statement = pending.pop()
            if statement not in visited:
                visited.add(statement)
                pending += self._needs(statement)[0]
        return {name for statement in visited for name in statement.flow.reads} & self.goal.variables

    # -- availability -----------------------------------------------------------------------------

    def _is_available(self, statement: Statement) -> bool:
        """Return whether the grader has everything that a statement needs. Statements in a cycle have each other."""
        if statement in self._available:
            return self._available[statement]
        self._available[statement] = True
        needed, missing = self._needs(statement)
        unavailable = [need for need in needed if not self._is_available(need)]
        reason = self.kinds.obstacle(statement)
        if reason is None and missing:
            reason = f"{', '.join(missing)} has no value before it"
        if reason is None and unavailable:
            cells = ", ".join(map(str, sorted({need.cell.number for need in unavailable})))
            reason = f"it needs what cell {cells} makes, and that cannot be taken"
        # A comparison of a step that is not there yet needs no remark: the step's row says that it is missing.
        is_undone = self.kinds.compared[statement] and set(missing) <= self.goal.variables and not unavailable
        if reason and not is_undone:
            self.remarks[f"Cell {statement.cell.number}, line {statement.node.lineno} is left out: {reason}."] = None
        self._available[statement] = reason is None
        return reason is None

    # -- needs ------------------------------------------------------------------------------------

    def _needs(self, statement: Statement) -> tuple[list[Statement], list[str]]:
        """Return the statements that a statement needs, and the names that nothing makes."""
        names = set(statement.flow.reads)
        if not isinstance(statement.node, Function | ast.ClassDef):
            names |= statement.flow.later
        needed: dict[Statement, None] = {}
        missing: list[str] = []
        visited: set[str] = set()
        pending = sorted(names)
        while pending:
            name = pending.pop()
            if name in visited or name in _GRADER_NAMES or name in self.goal.handed_out:
                continue
            visited.add(name)
            makers = self._makers(name, statement)
            if not makers and name in statement.flow.reads and name not in _BUILTINS:
                missing.append(name)
            for maker in makers:
                needed[maker] = None
                pending += sorted(maker.flow.later)
        return list(needed), sorted(missing)

    def _makers(self, name: str, reader: Statement) -> list[Statement]:
        """Return the statements that make the value of a name that a statement reads.

        These are the last statement before the reader that binds the name, and those that change it afterwards;
        else the first statement after the reader that binds it; else the first ``import *``.
        """
        before: list[Statement] = []
        after: list[Statement] = []
        for statement in self.statements:
            if name not in statement.makes or self.kinds.is_placeholder(statement):
                continue
            binds = name in statement.flow.binds
            if statement.position > reader.position:
                after += [statement] if binds else []
            elif statement.position < reader.position:
                if binds:
                    before = []
                if binds or statement in self.kinds.usable:
                    before.append(statement)
        if before or name in _BUILTINS:
            return before
        return (after or self.star_imports)[:1]


def _near_names(statements: list[Statement], goal: Goal) -> Iterable[str]:
    """Yield sentences about answers that are missing while a variable of nearly that name exists."""
    made = {name for statement in statements for name in statement.flow.binds}
    others = [name for name in sorted(made) if name[:1] == "d" and name not in goal.variables]
    for variable in goal.checkpoint_by_variable:
        near = difflib.get_close_matches(variable, others, 1, NEAR_NAME_CUTOFF) if variable not in made else []
        if near:
            yield f"There is no {variable}, but a {near[0]}. If that is meant, name it {variable}."


def _position(statement: Statement) -> int:
    return statement.position


def _is_backward_of_state(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "backward" and parameters(node.args) == {"state"}


def _is_star_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names)
