"""Which statements of a notebook make the `d…` variables, and nothing else.

The statements are chosen backwards. Wanted are, for each checkpoint, the last call of `cmp` for it and the
last value of its variable; each of them wants what it reads, and so on, until only handed-out names are left.
So the forward pass, plots, prints, the dataset and `loss.backward()` stay behind, and helpers come along."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from dojo.harvest.comparisons import CMP
from dojo.harvest.dataflow import Function, parameters
from dojo.harvest.kinds import Kinds
from dojo.harvest.statements import Statement
from dojo.harvest.transcript import STAND_INS
from dojo.harvest.wanted import Wanted

_PROVIDED = frozenset({"torch", "F", CMP, *STAND_INS})
_BUILTINS = frozenset(dir(builtins)) | {"__name__"}


@dataclass(frozen=True)
class Choice:
    """The statements in the order in which they can run, and sentences about what had to be left out."""

    statements: tuple[Statement, ...]
    remarks: tuple[str, ...]


def choose(statements: list[Statement], wanted: Wanted) -> Choice:
    chooser = _Chooser(statements, wanted)
    order = chooser.in_order(chooser.chosen())
    return Choice(tuple(order), (*chooser.remarks, *_slips(statements, wanted)))


class _Chooser:
    def __init__(self, statements: list[Statement], wanted: Wanted) -> None:
        self.wanted = wanted
        sound = {name for each in statements if not each.cell.broken for name in each.makes} & set(wanted.answers)
        # What a sound cell makes, the student has seen; a broken cell cannot have been run.
        self.statements = [each for each in statements if not (each.cell.broken and each.makes & sound)]
        self.kinds = Kinds(self.statements, wanted)
        self.has_headings = any(each.section == wanted.section for each in statements)
        self.stars = [each for each in self.statements if _is_star(each.node)]
        self.remarks: dict[str, None] = {}
        self._verdicts: dict[Statement, bool] = {}

    def chosen(self) -> set[Statement]:
        """All that is wanted, with all that it needs."""
        chosen: set[Statement] = set()
        pending = [each for each in sorted(self._roots(), key=_position) if self._takes(each)]
        while pending:
            each = pending.pop()
            if each not in chosen:
                chosen.add(each)
                pending += self._needs(each)[0]
        return chosen

    def in_order(self, chosen: set[Statement]) -> list[Statement]:
        """As the notebook has them; but what a later cell defines stands before what needs it, since it was there
        when the student ran the cells in another order."""
        order: dict[Statement, None] = {}
        entered: set[Statement] = set()
        pending = [(each, False) for each in sorted(chosen, key=_position, reverse=True)]
        while pending:
            each, ready = pending.pop()
            if ready:
                order[each] = None
            elif each not in entered:
                entered.add(each)
                needed = sorted(self._needs(each)[0], key=_position, reverse=True)
                pending += [(each, True), *((need, False) for need in needed)]
        return list(order)

    # -- what is wanted ---------------------------------------------------------------------------

    def _roots(self) -> Iterable[Statement]:
        roots: dict[Statement, None] = {}
        for variable, name in self.wanted.answers.items():
            makers = [each for each in self.kinds.usable if variable in each.makes or name in self.kinds.compared[each]]
            makers = self._of_section(makers) or makers
            if not self.has_headings:
                makers = self._step_by_step(variable, makers)
            comparing = [each for each in makers if name in self.kinds.compared[each]]
            roots |= dict.fromkeys(self._last(comparing))
            roots |= dict.fromkeys(self._reaching(variable, [each for each in makers if variable in each.makes]))
        at_run_time = [each for each in self.kinds.usable if self.kinds.compared[each] == {""}]
        roots |= dict.fromkeys(self._of_section(at_run_time))
        roots |= dict.fromkeys(each for each in self.statements if _is_backward_of_state(each.node))
        return roots

    def _last(self, statements: list[Statement]) -> list[Statement]:
        return next(([each] for each in reversed(statements) if self._takes(each)), [])

    def _reaching(self, variable: str, makers: list[Statement]) -> list[Statement]:
        """The last statement that gives the variable a value and can be taken, and what changes it since."""
        found = []
        for each in reversed(makers):
            found.append(each)
            if variable in each.flow.binds and self._takes(each):
                break
        return found

    def _of_section(self, statements: list[Statement]) -> list[Statement]:
        """Those under the exercise's own heading, else those under none."""
        own = self.wanted.section
        if own is None:
            return statements
        return [each for each in statements if each.section == own] or [
            each for each in statements if each.section is None
        ]

    def _step_by_step(self, variable: str, makers: list[Statement]) -> list[Statement]:
        """Those before the variable is made anew from none of the answers that it was made of until then: that is
        what the lecture's later exercises do, in one go."""
        above: set[str] = set()
        begins = [number for number, each in enumerate(makers) if variable in each.flow.binds]
        for begin, end in zip(begins, [*begins, len(makers)][1:], strict=True):
            behind = self._answers_behind(makers[begin:end]) - {variable}
            if above and not above & behind:
                return makers[:begin]
            above |= set[str]().union(*(each.flow.reads for each in makers[begin:end])) & behind
        return makers

    def _answers_behind(self, statements: list[Statement]) -> set[str]:
        """The answers that they read, and those that what they need reads."""
        seen: set[Statement] = set()
        pending = list(statements)
        while pending:
            each = pending.pop()
            if each not in seen:
                seen.add(each)
                pending += self._needs(each)[0]
        return {name for each in seen for name in each.flow.reads} & set(self.wanted.answers)

    # -- what can be had --------------------------------------------------------------------------

    def _takes(self, statement: Statement) -> bool:
        """Whether everything that the statement needs can be had. Cycles count as had."""
        if statement in self._verdicts:
            return self._verdicts[statement]
        self._verdicts[statement] = True
        needed, absent = self._needs(statement)
        reason = self.kinds.out_of_reach(statement)
        barred = [each for each in needed if not self._takes(each)]
        if reason is None and absent:
            reason = f"{', '.join(absent)} has no value before it"
        if reason is None and barred:
            makers = ", ".join(map(str, sorted({each.cell.number for each in barred})))
            reason = f"it needs what cell {makers} makes, and that cannot be taken"
        # cmp for a step that is not done yet is passed over in silence: its row will say so.
        if reason and not (self.kinds.compared[statement] and set(absent) <= set(self.wanted.answers) and not barred):
            self.remarks[f"Cell {statement.cell.number}, line {statement.node.lineno} is left out: {reason}."] = None
        self._verdicts[statement] = reason is None
        return reason is None

    # -- what a statement needs -------------------------------------------------------------------

    def _needs(self, statement: Statement) -> tuple[list[Statement], list[str]]:
        """The statements that it needs, and the names that nothing makes."""
        flow = statement.flow
        names = set(flow.reads)
        if not isinstance(statement.node, Function | ast.ClassDef):
            names |= flow.later
        needed: dict[Statement, None] = {}
        absent: list[str] = []
        seen: set[str] = set()
        pending = sorted(names)
        while pending:
            name = pending.pop()
            if name in seen or name in _PROVIDED or name in self.wanted.handed_out:
                continue
            seen.add(name)
            makers = self._makers(name, statement)
            if not makers and name in flow.reads and name not in _BUILTINS:
                absent.append(name)
            for each in makers:
                needed[each] = None
                pending += sorted(each.flow.later)
        needed.pop(statement, None)
        return list(needed), sorted(absent)

    def _makers(self, name: str, reader: Statement) -> list[Statement]:
        """The statements whose value of ``name`` is read: the last before the reader that binds it, and what
        changed it since. Where there is none, the first after it, or an `import *`."""
        found: list[Statement] = []
        later: list[Statement] = []
        for each in self.statements:
            if name not in each.makes or self.kinds.is_nothing(each):
                continue
            if each.position > reader.position:
                later += [each] if name in each.flow.binds else []
            elif each.position < reader.position:
                if name in each.flow.binds:
                    found = []
                if name in each.flow.binds or each in self.kinds.usable:
                    found.append(each)
        if found or name in _BUILTINS:
            return found
        return (later or self.stars)[:1]


def _slips(statements: list[Statement], wanted: Wanted) -> Iterable[str]:
    """Sentences about answers that are not there while one of nearly that name is."""
    made = {name for each in statements for name in each.flow.binds}
    others = [each for each in sorted(made) if each[:1] == "d" and each not in wanted.answers]
    for answer in wanted.answers:
        near = difflib.get_close_matches(answer, others, 1, 0.85) if answer not in made else []
        if near:
            yield f"There is no {answer}, but a {near[0]}. If that is meant, name it {answer}."


def _position(statement: Statement) -> int:
    return statement.position


def _is_backward_of_state(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "backward" and parameters(node.args) == {"state"}


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names)
