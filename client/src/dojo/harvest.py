"""A notebook's answers: which statements of its cells make the `d…` variables, and nothing else.

The statements are chosen backwards. Wanted are, for each checkpoint, the last call of `cmp` for it and the
last value of its variable; each of them wants what it reads, and so on, until only handed-out names are left.
So the forward pass, plots, prints, the dataset and `loss.backward()` stay behind, and helpers come along."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass

from dojo.cells import Cell, Cells, first_line
from dojo.dataflow import Flow, body_flow, flow_of, parameters
from dojo.errors import BadFile

# The exercise numbers of the lecture: a notebook with all of them makes dlogits twice.
SECTIONS = {
    "makemore/full-backward": 1,
    "makemore/cross-entropy": 2,
    "makemore/batch-norm": 3,
    "makemore/train": 4,
}

_PROVIDED = frozenset({"torch", "F", "cmp"})
_BUILTINS = frozenset(dir(builtins)) | {"__name__"}
_HELPERS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_LOOPS = (ast.For, ast.While, ast.AsyncFor)
_TRAINING = 3  # a loop that makes this many handed-out names anew is a forward pass of its own


@dataclass(frozen=True)
class Wanted:
    """What a notebook is read for: the checkpoints' names, the names handed out, the exercise's number, if
    any."""

    checkpoints: tuple[str, ...]
    handed_out: frozenset[str]
    section: int | None = None

    @property
    def answers(self) -> dict[str, str]:
        """Variable → checkpoint."""
        return {"d" + name: name for name in self.checkpoints}


@dataclass(frozen=True)
class Taken:
    """A cell that gave something: ``names`` are the answers and helpers that its statements make."""

    cell: int
    run: int | None
    names: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class Harvest:
    """``source`` is what to hand in; ``lines`` gives the cell and the line in it for each of its lines."""

    source: str
    taken: tuple[Taken, ...]
    cells: int
    remarks: tuple[str, ...]
    lines: tuple[tuple[int, int] | None, ...]

    def place(self, line: int) -> tuple[int, int] | None:
        """The cell and the line in it that a line of the source (from 1) came from."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else None


@dataclass(eq=False)
class _Statement:
    """A statement at the top level of a cell. ``section`` is the exercise it stands under."""

    position: int
    cell: Cell
    node: ast.stmt
    flow: Flow
    section: int | None
    compares: frozenset[str] | None = None  # checkpoints of its cmp calls; empty: cmp with names made at run time


def harvest(cells: Cells, wanted: Wanted) -> Harvest:
    """Choose the statements. Raises BadFile where the notebook makes no answer at all."""
    chosen, remarks = _Chooser(cells, wanted).choose()
    if not chosen:
        answers = ", ".join(list(wanted.answers)[:3])
        raise BadFile(
            f"No cell of this notebook makes an answer of this exercise ({answers}, …).",
            "Assign one, save the notebook, submit it again; another exercise is named with --exercise.",
        )
    source, lines = _written(chosen)
    numbers = {each.cell.number for each in chosen}
    repaired = [text for number, text in cells.repaired.items() if number in numbers]
    return Harvest(
        source,
        _taken(chosen, wanted),
        len(cells.cells),
        (*cells.unfinished.values(), *repaired, *remarks),
        lines,
    )


class _Chooser:
    def __init__(self, cells: Cells, wanted: Wanted) -> None:
        self.wanted = wanted
        self.statements = _numbered(cells)
        defs = [each.node for each in self.statements if isinstance(each.node, ast.FunctionDef | ast.AsyncFunctionDef)]
        self.functions = {each.name: each for each in defs}
        self.comparers = _comparers(self.functions, self.statements)
        self.stars = [each for each in self.statements if _is_star(each.node)]
        for each in self.statements:
            self._add_effects(each.flow)
            each.flow.reads -= _only_for_cmp(each.node)
            each.compares = self._compared(each.node)
        self.verdicts: dict[int, bool] = {}
        self.remarks: dict[str, None] = {}

    # -- choosing ---------------------------------------------------------------------------------

    def choose(self) -> tuple[list[_Statement], list[str]]:
        roots = sorted(self._roots(), key=lambda each: each.position)
        for root in roots:
            self._takes(root)
        chosen: set[int] = set()
        pending = [root.position for root in roots if self._takes(root)]
        while pending:
            position = pending.pop()
            if position not in chosen:
                chosen.add(position)
                pending += [each.position for each in self._needs(self.statements[position])[0]]
        kept = [self.statements[position] for position in sorted(chosen)]
        # A helper that a later cell defines was there when the student ran the cells in another order.
        late = [each for each in kept if self._is_late_helper(each, chosen)]
        return late + [each for each in kept if each not in late], list(self.remarks)

    def _roots(self) -> Iterable[_Statement]:
        roots: dict[int, _Statement] = {}
        for variable, name in self.wanted.answers.items():
            makers = [
                each
                for each in self.statements
                if (variable in each.flow.binds | each.flow.changes or name in (each.compares or ()))
                and not self._is_left_out(each)
            ]
            makers = self._of_section(makers)
            comparing = [each for each in makers if name in (each.compares or ())]
            changing = [each for each in makers if variable in each.flow.binds | each.flow.changes]
            for last in (comparing[-1:], changing[-1:]):
                roots |= {each.position: each for each in last}
            # What a loop or a branch only may have changed counts together with what was there before.
            roots |= {each.position: each for each in self._reaching(variable, changing)}
        unnamed = [each for each in self.statements if each.compares == frozenset() and not self._is_left_out(each)]
        roots |= {each.position: each for each in self._of_section(unnamed)}
        for each in self.statements:
            if _is_backward_of_state(each.node):
                roots[each.position] = each
        return roots.values()

    def _reaching(self, variable: str, changing: list[_Statement]) -> list[_Statement]:
        found = []
        for each in reversed(changing):
            found.append(each)
            if variable in each.flow.binds:
                break
        return found

    def _of_section(self, statements: list[_Statement]) -> list[_Statement]:
        """Those under the exercise's own heading; else those under none; else all."""
        own, none = self.wanted.section, None
        if own is None:
            return statements
        for section in (own, none):
            found = [each for each in statements if each.section == section]
            if found:
                return found
        return statements

    def _takes(self, statement: _Statement) -> bool:
        """Whether everything that the statement needs can be had. Cycles count as had."""
        known = self.verdicts.get(statement.position)
        if known is not None:
            return known
        self.verdicts[statement.position] = True
        needed, absent = self._needs(statement)
        barred = [each for each in needed if self._is_out_of_reach(each) or not self._takes(each)]
        if absent or barred:
            self._explain(statement, absent, barred)
        self.verdicts[statement.position] = not (absent or barred)
        return self.verdicts[statement.position]

    def _explain(self, statement: _Statement, absent: list[str], barred: list[_Statement]) -> None:
        if statement.compares and set(absent) <= set(self.wanted.answers):
            return  # cmp for a step that is not done yet: its row will say so
        where = f"Cell {statement.cell.number}, line {statement.node.lineno}"
        if absent:
            self.remarks[f"{where} is left out: {', '.join(absent)} has no value before it."] = None
            return
        makers = ", ".join(sorted({str(each.cell.number) for each in barred}))
        self.remarks[f"{where} is left out: it needs what cell {makers} makes, and that cannot be taken."] = None

    # -- what a statement needs -------------------------------------------------------------------

    def _needs(self, statement: _Statement) -> tuple[list[_Statement], list[str]]:
        """The statements that it needs, and the names that nothing makes."""
        if self._is_comparer(statement):
            return [], []  # the grader puts its own cmp in its place
        flow = statement.flow
        names = set(flow.reads)
        if not isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names |= flow.later
        needed: dict[int, _Statement] = {}
        absent: list[str] = []
        seen: set[str] = set()
        pending = sorted(names)
        while pending:
            name = pending.pop()
            if name in seen or self._is_provided(name):
                continue
            seen.add(name)
            makers = self._makers(name, statement.position)
            if not makers and name in flow.reads and name not in _BUILTINS:
                absent.append(name)
            for each in makers:
                needed[each.position] = each
                if not self._is_comparer(each):
                    pending += sorted(each.flow.later)
        needed.pop(statement.position, None)
        return list(needed.values()), sorted(absent)

    def _is_provided(self, name: str) -> bool:
        return name in _PROVIDED or name in self.wanted.handed_out

    def _makers(self, name: str, before: int) -> list[_Statement]:
        """The statements whose value of ``name`` is read at a position: the last that binds it, and what
        changed it since. Where none is before, the first helper of that name after it, or an `import *`."""
        found: list[_Statement] = []
        for each in reversed(self.statements[:before]):
            if self._is_nothing(each):
                continue
            if name in each.flow.binds:
                return [*found, each]
            if name in each.flow.changes and not self._is_left_out(each):
                found.append(each)
        if found:
            return found
        for each in self.statements[before + 1 :]:
            if name in each.flow.binds and isinstance(each.node, _HELPERS):
                return [each]
        return [] if name in _BUILTINS else self.stars[:1]

    # -- kinds of statements ----------------------------------------------------------------------

    def _is_nothing(self, statement: _Statement) -> bool:
        """`dlogits = None`: a placeholder, which is no answer."""
        node = statement.node
        return (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Constant)
            and node.value.value is None
            and bool(statement.flow.binds & set(self.wanted.answers))
        )

    def _is_left_out(self, statement: _Statement) -> bool:
        """Placeholders, whatever calls .backward(), and loops that train: those make answers on other
        data."""
        if self._is_nothing(statement):
            return True
        if isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return False
        if isinstance(statement.node, ast.Expr) and statement.compares is None and not statement.flow.changes:
            return True
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward":
                return True
            if isinstance(node, _LOOPS):
                inside = flow_of(node)
                if len((inside.binds | inside.changes) & self.wanted.handed_out) >= _TRAINING:
                    return True
        return False

    def _is_out_of_reach(self, statement: _Statement) -> bool:
        """What the grader cannot run: it has no files, and a left-out statement stays left out."""
        return _reads_files(statement.node) or self._is_left_out(statement)

    def _is_comparer(self, statement: _Statement) -> bool:
        node = statement.node
        return isinstance(node, ast.FunctionDef) and node.name in self.comparers and _reads_grad(node)

    def _is_late_helper(self, statement: _Statement, chosen: set[int]) -> bool:
        if not isinstance(statement.node, _HELPERS):
            return False
        users = [
            self.statements[position]
            for position in chosen
            if position < statement.position and statement in self._needs(self.statements[position])[0]
        ]
        return bool(users)

    def _compared(self, node: ast.stmt) -> frozenset[str] | None:
        """The checkpoints that the statement's cmp calls are for; None where it calls none of ours."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return None
        calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and self._calls_cmp(each)]
        if not calls:
            return None
        named = [self._named(call) for call in calls]
        if not all(named):
            return frozenset()  # the name is in a variable
        return frozenset(set[str]().union(*named) & set(self.wanted.checkpoints)) or None

    def _named(self, call: ast.Call) -> set[str]:
        """What a cmp call is for: its texts, else the answers among its arguments."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        texts = {each.value for each in arguments if isinstance(each, ast.Constant) and isinstance(each.value, str)}
        answers = self.wanted.answers
        return texts or {answers[each.id] for each in arguments if isinstance(each, ast.Name) and each.id in answers}

    def _calls_cmp(self, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Attribute):
            return call.func.attr == "cmp"
        return isinstance(call.func, ast.Name) and call.func.id in self.comparers

    def _add_effects(self, flow: Flow) -> None:
        """Add what the notebook's own functions change when they are called."""
        for name, arguments in flow.calls:
            function = self.functions.get(name)
            if function is None or name in self.comparers:
                continue
            inside = body_flow(function)
            if inside.changes & parameters(function.args):
                flow.changes |= arguments
            made_global = {each for node in ast.walk(function) if isinstance(node, ast.Global) for each in node.names}
            flow.changes |= made_global & (inside.binds | inside.changes)


def _numbered(cells: Cells) -> list[_Statement]:
    statements: list[_Statement] = []
    section: int | None = None
    for cell in cells.cells:
        marks = list(cell.sections)
        for node in cell.statements:
            while marks and marks[0][0] <= first_line(node):
                section = marks.pop(0)[1]
            statements.append(_Statement(len(statements), cell, node, flow_of(node), section))
        if marks:
            section = marks[-1][1]
    return statements


def _comparers(functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef], statements: list[_Statement]) -> set[str]:
    """The names under which cmp is called: functions that read `.grad` of a parameter, second names for cmp,
    and functions that call one of those."""
    names = {"cmp"} | {name for name, each in functions.items() if _reads_grad(each)}
    for each in statements:
        value = getattr(each.node, "value", None)
        again = isinstance(value, ast.Name) and value.id in names
        bound = isinstance(value, ast.Attribute) and value.attr == "cmp"
        if isinstance(each.node, ast.Assign) and (again or bound):
            names |= each.flow.binds
    while True:
        more = {
            name
            for name, each in functions.items()
            if name not in names and any(called in names for called, _ in body_flow(each).calls)
        }
        if not more:
            return names
        names |= more


def _reads_grad(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    own = parameters(function.args)
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "grad"
        and isinstance(node.value, ast.Name)
        and node.value.id in own
        for node in ast.walk(function)
    )


def _only_for_cmp(node: ast.stmt) -> set[str]:
    """Names that a statement reads as in `ex.cmp` and not otherwise."""
    owners = [each for each in ast.walk(node) if isinstance(each, ast.Attribute) and each.attr == "cmp"]
    bases = [each.value for each in owners if isinstance(each.value, ast.Name)]
    other = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each not in bases}
    return {each.id for each in bases} - other


def _is_backward_of_state(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "backward" and parameters(node.args) == {"state"}


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names)


def _reads_files(node: ast.stmt) -> bool:
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in ("open", "input")
        for each in ast.walk(node)
    )


# -- writing it down --------------------------------------------------------------------------


def _written(chosen: list[_Statement]) -> tuple[str, tuple[tuple[int, int] | None, ...]]:
    """The source, and where each of its lines came from."""
    source: list[str] = []
    places: list[tuple[int, int] | None] = []
    cell: Cell | None = None
    for each in chosen:
        if each.cell is not cell:
            cell = each.cell
            source += ["", f"# --- cell {cell.number} ---"] if source else [f"# --- cell {cell.number} ---"]
            places += [None] * (len(source) - len(places))
        lines = _with_plain_cmp(each).split("\n")
        first = (each.node.end_lineno or each.node.lineno) - len(lines) + 1
        source += lines
        places += [(cell.number, first + offset) for offset in range(len(lines))]
    return "\n".join(source) + "\n", tuple(places)


def _with_plain_cmp(statement: _Statement) -> str:
    """The statement's text, with `ex.cmp` written as `cmp`: there is no `ex` where it is graded."""
    text = statement.cell.text(statement.node)
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Attribute) and node.attr == "cmp" and isinstance(node.value, ast.Name):
            text = text.replace(f"{node.value.id}.cmp", "cmp")
    return text


def _taken(chosen: list[_Statement], wanted: Wanted) -> tuple[Taken, ...]:
    taken = []
    for cell in sorted({each.cell.number: each.cell for each in chosen}.values(), key=lambda cell: cell.number):
        own = [each for each in chosen if each.cell is cell]
        names: dict[str, None] = {}
        for each in own:
            for name in sorted(each.flow.binds | each.flow.changes, key=lambda name: name not in wanted.answers):
                if name in wanted.answers or name in each.flow.binds:
                    names[name] = None
        taken.append(Taken(cell.number, cell.run, tuple(names), len(own) == len(cell.statements)))
    return tuple(taken)
