"""The choice of the statements that the answers need.

1. Each statement needs the last one before it that makes what it reads, up to the names that are handed out. One that
   changes a value in place needs the last one that made it. So one walk from top to bottom finds all needs.
2. A statement lacks something if the grader does not have it (files, ``.grad``), or if a need of it lacks something.
3. Roots: for each checkpoint the last call of ``cmp`` for it, and the last value of its variable. A root that lacks
   something is no answer, whatever a part of it would give.

So the forward pass, plots, prints, the dataset and ``loss.backward()`` stay behind, and helpers come along. The work
grows with the statements and their needs alone; ``test_choice.py`` counts it.
"""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dojo.notebook_slice.comparisons import ANY_ORDER, CMP
from dojo.notebook_slice.dataflow import Function, parameters
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.kinds import Kind, Kinds, Obstacle
from dojo.notebook_slice.remarks import Remarks, place
from dojo.notebook_slice.statements import Statement
from dojo.notebook_slice.transcript import STAND_INS

_GRADER_NAMES = frozenset({"torch", "F", CMP, ANY_ORDER, *STAND_INS})
_BUILTINS = frozenset({*dir(builtins), "__name__", "__file__"})
NEAR_NAME_CUTOFF = 0.85  # of difflib: dlogit_max is near dlogit_maxes, and dlgts is near nothing
# A statement that lacks one of these cannot have run, or holds torch's own gradient: the value before it counts.
_PASSED_OVER = frozenset({Kind.UNDEFINED, Kind.UNFINISHED, Kind.GRAD})


@dataclass(frozen=True)
class Choice:
    """The chosen statements in an order in which they can run, and sentences about what is left out.

    ``answered`` are the checkpoints with an answer among them; None stands for those that only show at run time.
    ``work`` counts the needs that were looked at. ``not_there_yet`` says why exercise 2 or 3 has no answer, or None.
    ``lost_to_gaps`` says for the number of a cell what is not graded because Python cannot read a part of it.
    ``dangling`` counts the names that chosen functions may read, and nothing makes.
    """

    statements: tuple[Statement, ...]
    remarks: tuple[str, ...]
    answered: frozenset[str | None]
    work: int
    not_there_yet: str | None = None
    lost_to_gaps: Mapping[int, str] = field(default_factory=dict)
    dangling: int = 0


@dataclass(frozen=True)
class _Lack:
    """Why a statement cannot be taken: the obstacle, and the statement that has it."""

    obstacle: Obstacle
    at: Statement


@dataclass
class _Segment:
    """A value of an answer: the statement that binds it, and those that change it. Or a comparison without it.

    ``read`` are the names that these read themselves, ``behind`` the answers that they are made of.
    """

    begin: int
    variable: str
    last: Statement
    read: set[str] = field(default_factory=set)
    behind: frozenset[str] = frozenset()
    comparisons: list[Statement] = field(default_factory=list)
    has_value: bool = True


def choose(statements: list[Statement], goal: Goal) -> Choice:
    """Choose the statements that the answers need."""
    chooser = _Chooser(statements, goal)
    chosen = chooser.chosen()
    remarks = (*chooser.remarks.sentences(), *_near_names(statements, goal))
    in_order = tuple(chooser.in_order(chosen))
    told = chooser.remarks
    return Choice(
        in_order,
        remarks,
        frozenset(chooser.answered),
        chooser.work,
        told.not_there_yet,
        told.of_gaps(),
        sum(len(chooser.dangling.get(statement, ())) for statement in chosen),
    )


class _Chooser:
    def __init__(self, statements: list[Statement], goal: Goal) -> None:
        self.goal = goal
        self.kinds = Kinds(statements, goal)
        self._bound_in_broken: dict[int, set[str]] = {}
        for statement in statements:
            if statement.cell.broken:
                self._bound_in_broken.setdefault(statement.cell.number, set()).update(statement.flow.binds)
        self.statements = [statement for statement in statements if not self._is_superseded(statement)]
        self.kinds.compared |= {statement: set() for statement in statements if statement.unfinished}
        self.remarks = Remarks(goal)
        self.answered: set[str | None] = set()
        self.work = 0
        self.dangling: dict[Statement, list[str]] = {}  # names that a called function reads, and nothing makes
        sections = {statement.section for statement in statements}
        self._has_headings = goal.section in sections
        self._star_imports = [statement for statement in self.statements if _is_star_import(statement.node)]
        self._first_binding = self._first_bindings()
        self._made_at_run_time = self._names_made_at_run_time()
        self._maker: dict[str, Statement] = {}  # the last statement so far that makes a name
        self._before: dict[tuple[Statement, str], Statement] = {}  # the maker of a name before another one
        self._needs: dict[Statement, list[Statement]] = {}
        self._lacks: dict[Statement, _Lack | None] = {}
        self._behind: dict[Statement, frozenset[str]] = {}
        self._segments: dict[str, list[_Segment]] = {variable: [] for variable in goal.checkpoint_by_variable}
        self._answers = self._answer_names()
        self._passed_over: list[tuple[Statement, str]] = []
        self._suspended: set[str] = set()  # names whose last value was passed over
        for statement in self.statements:
            self._read(statement)

    # -- before the walk ----------------------------------------------------------------------------

    def _is_superseded(self, statement: Statement) -> bool:
        """Return whether a broken cell makes anew what a sound one before it makes.

        A broken cell cannot have been run as it stands. One that only changes an answer was to complete it.
        """
        if not statement.cell.broken:
            return False
        return any(
            section in (None, statement.section) and position < statement.position
            for name in statement.makes & self.goal.variables & self._bound_in_broken[statement.cell.number]
            for section, position in self._sound_sections().get(name, {}).items()
        )

    def _sound_sections(self) -> dict[str, dict[int | None, int]]:
        """Return for each answer the sections in which sound cells give it a value, and the first place there."""
        if not hasattr(self, "_sound"):
            self._sound: dict[str, dict[int | None, int]] = {}
            for statement in self.kinds.usable:
                if not statement.cell.broken and self.kinds.obstacle(statement) is None:
                    for name in statement.flow.binds & self.goal.variables:
                        self._sound.setdefault(name, {}).setdefault(statement.section, statement.position)
        return self._sound

    def _first_bindings(self) -> dict[str, list[Statement]]:
        """Return the statements that bind each name, for names that are read before they are made."""
        bindings: dict[str, list[Statement]] = {}
        for statement in self.statements:
            if not self.kinds.is_placeholder(statement) and not statement.unfinished:
                for name in statement.flow.binds:
                    bindings.setdefault(name, []).append(statement)
        return bindings

    def _names_made_at_run_time(self) -> set[str]:
        """Return the answers that only a statement such as ``globals()["d" + name] = …`` can make."""
        if not any(statement.flow.by_name for statement in self.statements):
            return set()
        made = {name for statement in self.statements for name in statement.flow.binds}
        return set(self.goal.variables - made)

    def _answer_names(self) -> frozenset[str]:
        """Return the names of gradients: the answers, those handed to ``cmp``, and those of steps in between."""
        handed_to_cmp = {name for statement in self.statements for name in self.kinds.handed_to_cmp(statement)}
        between = {"d" + name for name in self.goal.handed_out}
        return frozenset((self.goal.variables | handed_to_cmp | between) - self.goal.handed_out)

    # -- the walk -----------------------------------------------------------------------------------

    def _read(self, statement: Statement) -> None:
        """Note what a statement needs and lacks, and what it makes."""
        if self.kinds.is_placeholder(statement) or not self._is_of_this_exercise(statement):
            return
        needs, undefined = self._find_needs(statement)
        self._needs[statement] = needs
        self._lacks[statement] = lack = self._find_lack(statement, needs, undefined)
        read = statement.flow.reads | statement.flow.changes
        behind = (read & self._answers).union(*(self._behind.get(need, frozenset()) for need in needs))
        self.work += len(needs)
        self._behind[statement] = frozenset(behind)
        makes = set(statement.makes)
        if statement.flow.by_name:
            makes |= self._made_at_run_time
        for name in makes:
            self._make(name, statement, lack)
        self._note_comparisons(statement)

    def _is_of_this_exercise(self, statement: Statement) -> bool:
        """Return whether what a statement makes may count. Answers under another exercise's heading do not."""
        section = self.goal.section
        if section is None or statement.section in (None, section):
            return True
        makes_answers = bool(statement.makes & self.goal.variables) or bool(self.kinds.compared[statement])
        return not makes_answers

    def _make(self, name: str, statement: Statement, lack: _Lack | None) -> None:
        binds = name in statement.flow.binds
        is_answer = name in self.goal.variables
        before = self._maker.get(name)
        is_unusable = statement not in self.kinds.usable and not statement.unfinished
        if is_unusable and (not binds or (is_answer and self.kinds.trains(statement))):
            return
        if name in self._suspended and not binds:
            return  # it changes a value that was passed over
        self._suspended.discard(name)
        if lack is not None and before is not None:
            if not binds and name not in statement.flow.changes and not statement.flow.by_name:
                return  # what perhaps changes it cannot be taken
            if self._is_passed_over(name, statement, lack, before):
                self._passed_over.append((statement, name))
                self._suspended.add(name)
                return
        if before is not None:
            self._before[statement, name] = before
        self._maker[name] = statement
        if is_answer:
            self._note_value(name, statement, begins=binds)

    def _is_passed_over(self, name: str, statement: Statement, lack: _Lack, before: Statement) -> bool:
        """Return whether the value before a statement counts, because the statement gives none of the student's own."""
        kind = lack.obstacle.kind
        if name not in statement.flow.binds:
            return kind is Kind.GRAD and lack.at is statement and self.kinds.only_reads_grad(statement, name)
        if kind is Kind.UNFINISHED and before.cell is statement.cell:
            return False  # the value before it is the beginning of this one
        if kind is Kind.GRAD and lack.at is statement and self.kinds.reads_own_grad(statement, name):
            return True
        return kind in _PASSED_OVER and name not in statement.flow.reads

    def _note_value(self, variable: str, statement: Statement, *, begins: bool) -> None:
        segments = self._segments[variable]
        with_value = [segment for segment in segments[-1:] if segment.has_value]
        if begins or not with_value:
            segments.append(_Segment(statement.position, variable, statement))
        segment = segments[-1]
        segment.last = statement
        segment.read |= statement.flow.reads
        segment.behind = self._behind[statement] - {variable}

    def _note_comparisons(self, statement: Statement) -> None:
        variable_by_checkpoint = {checkpoint: name for name, checkpoint in self.goal.checkpoint_by_variable.items()}
        for checkpoint in self.kinds.compared[statement] & set(self.goal.checkpoints):
            variable = variable_by_checkpoint[checkpoint]
            segments = self._segments[variable]
            if variable in statement.flow.reads | statement.flow.binds and segments:
                segments[-1].comparisons.append(statement)
            else:
                segment = _Segment(statement.position, variable, statement, has_value=False)
                segment.behind = self._behind[statement] - {variable} - self.kinds.handed_to_cmp(statement)
                segment.read |= segment.behind
                segment.comparisons.append(statement)
                segments.append(segment)

    # -- needs --------------------------------------------------------------------------------------

    def _find_needs(self, statement: Statement) -> tuple[list[Statement], list[str]]:
        """Return the statements that a statement needs, and the names it reads that nothing makes."""
        flow = statement.flow
        names = set(flow.reads)
        is_definition = isinstance(statement.node, Function | ast.ClassDef)
        if not is_definition or _is_backward_of_state(statement.node):  # the grader calls that one
            names |= flow.later
        needed: dict[Statement, None] = {}
        undefined: list[str] = []
        visited: set[str] = set()
        pending = sorted(names)
        while pending:
            name = pending.pop()
            self.work += 1
            if name in visited or name in _GRADER_NAMES or name in self.goal.handed_out:
                continue
            visited.add(name)
            maker = self._maker.get(name) or self._later_maker(name, statement)
            if maker is None:
                if name not in _BUILTINS:
                    (undefined if name in flow.reads else self.dangling.setdefault(statement, [])).append(name)
                continue
            for need in self._chain(name, maker):
                needed[need] = None
                pending += sorted(need.flow.later - visited)
        needed.pop(statement, None)
        return list(needed), sorted(undefined)

    def _chain(self, name: str, maker: Statement) -> Iterable[Statement]:
        """Yield a maker of a name, and those before it that it does not need by itself.

        A statement that changes a tensor through another name for it does not read this one.
        """
        link: Statement | None = maker
        while link is not None:
            self.work += 1
            yield link
            link = None if name in link.flow.binds | link.flow.reads else self._before.get((link, name))

    def _later_maker(self, name: str, statement: Statement) -> Statement | None:
        """Return the first statement after this one that binds a name: the student ran it earlier.

        Else, the first ``import *``.
        """
        if name in _BUILTINS:
            return None
        later = next(
            (maker for maker in self._first_binding.get(name, ()) if maker.position > statement.position), None
        )
        return later or next(iter(self._star_imports), None)

    def _find_lack(self, statement: Statement, needs: list[Statement], undefined: list[str]) -> _Lack | None:
        """Return what a statement lacks. Of a later definition, only its own obstacle counts."""
        obstacle = self.kinds.obstacle(statement)
        if obstacle is None and undefined:
            undone = bool(self.kinds.compared[statement]) and set(undefined) <= self.goal.variables
            is_answer = set(undefined) <= self.goal.variables
            obstacle = Obstacle.undefined(undefined, is_undone=undone, is_answer=is_answer)
        if obstacle is not None:
            return _Lack(obstacle, statement)
        for need in needs:
            lack = self._lacks.get(need)
            if need not in self._lacks:
                own = self.kinds.obstacle(need)
                lack = _Lack(own, need) if own is not None else None
            if lack is not None:
                return lack
        return None

    # -- roots --------------------------------------------------------------------------------------

    def chosen(self) -> set[Statement]:
        """Return the roots with everything that they need."""
        chosen: set[Statement] = set()
        pending = list(self._roots())
        while pending:
            statement = pending.pop()
            if statement not in chosen:
                chosen.add(statement)
                pending += self._needs_of(statement)
        self._note_passed_over(chosen)
        return chosen

    def _needs_of(self, statement: Statement) -> list[Statement]:
        if statement not in self._needs:  # under another heading, and needed all the same
            self._needs[statement] = self._find_needs(statement)[0]
        return self._needs[statement]

    def _roots(self) -> Iterable[Statement]:
        for variable, checkpoint in self.goal.checkpoint_by_variable.items():
            segments = self._this_exercise(variable, self._segments[variable])
            roots = self._roots_of(variable, segments)
            if roots:
                self.answered.add(checkpoint)
            yield from roots
        backward = [statement for statement in self.statements if _is_backward_of_state(statement.node)]
        for statement in self.statements:
            at_run_time = self.kinds.compared[statement] == {""} and statement in self.kinds.usable
            of_state = statement in backward[-1:]
            if (at_run_time or of_state) and statement in self._lacks:
                if self._lacks[statement] is None:
                    self.answered.add(None)
                    yield statement
                elif not of_state or not self.goal.checkpoints:
                    self._note_lack(statement, ())

    def _roots_of(self, variable: str, segments: list[_Segment]) -> list[Statement]:
        """Return the last value and the last comparison that count, if nothing is lacking."""
        roots = []
        comparisons = [comparison for segment in segments for comparison in segment.comparisons]
        for comparison in sorted(comparisons, key=_position, reverse=True):
            lack = self._lacks[comparison]
            if lack is None:
                roots.append(comparison)
            else:
                self._note_lack(comparison, ())
            if lack is None or lack.obstacle.kind is not Kind.UNDEFINED:
                break
        for value in [segment.last for segment in segments if segment.has_value][-1:]:
            chain = list(self._chain(variable, value))
            lacking = [link for link in chain if self._lacks[link] is not None]
            if not lacking:
                roots += chain
            for link in lacking[:1]:
                self._note_lack(link, (variable,))
        return roots

    def _this_exercise(self, variable: str, segments: list[_Segment]) -> list[_Segment]:
        """Return the values before an answer is made anew without the answers that it was made of so far.

        Without headings, this is how the lecture's exercises 2 and 3 show: they make dlogits and dhprebn in one go. A
        value that is made of other answers is no such one: the value before it was a trial.
        """
        if self.goal.section in (2, 3):
            return self._all_in_one_go(variable, segments)
        if self._has_headings:
            return segments
        sources: set[str] = set()
        all_behind: set[str] = set()
        for index, segment in enumerate(segments):
            behind = segment.behind - {variable}
            if sources and not sources & behind and behind < all_behind:
                return segments[:index]
            sources |= segment.read & behind
            all_behind |= behind
        return segments

    def _all_in_one_go(self, variable: str, segments: list[_Segment]) -> list[_Segment]:
        """Return the values for exercises 2 and 3. What exercise 1 makes step by step is not one of them."""
        own = [segment for segment in segments if segment.last.section == self.goal.section]
        if own:
            return own
        if not self._has_exercise_1():
            return segments
        in_one_go = [segment for segment in segments if not segment.behind & self._answers - {variable}]
        if segments and not in_one_go:
            self.remarks.not_there_yet = f"{place(segments[-1].last)} makes {variable} step by step, as exercise 1 does"
        return in_one_go

    def _has_exercise_1(self) -> bool:
        """Return whether gradients are made that this exercise does not know: the notebook holds all exercises."""
        known = {"d" + name for name in self.goal.handed_out} | self.goal.variables | self.goal.handed_out
        return any(
            name[:1] == "d" and name not in known and statement.flow.reads & self._answers
            for statement in self.statements
            for name in statement.flow.binds
        )

    # -- sentences ----------------------------------------------------------------------------------

    def _note_lack(self, statement: Statement, variables: tuple[str, ...]) -> None:
        lack = self._lacks[statement]
        assert lack is not None
        if not lack.obstacle.is_undone or lack.at is not statement or statement.unfinished:
            self.remarks.lacking(lack.at, lack.obstacle, statement, variables)

    def _note_passed_over(self, chosen: set[Statement]) -> None:
        for statement, name in self._passed_over:
            lack = self._lacks[statement]
            if lack is not None and (name in self.goal.variables or any(name in other.makes for other in chosen)):
                self.remarks.passed_over(statement, lack.obstacle, name)

    # -- order --------------------------------------------------------------------------------------

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
                needed = sorted(self._needs_of(statement), key=_position, reverse=True)
                pending += [(statement, True), *((need, False) for need in needed)]
        return list(in_order)


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
