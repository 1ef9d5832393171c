"""Making mistakes: changes of the lines of a key that change a gradient, each with the kinds that name it rightly."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import torch
from torch import Tensor

from author.mistakes import changes
from author.mistakes.key import KeyRun, Line, compiled
from exercises.instance import Instance
from grader.diagnosis.codes import Code
from grader.reference.gradients import Reference, reference
from grader.rounding.closeness import close

NEIGHBOURS: Final = 1  # tensors of the same shape that are tried in place of one
DEGENERATE: Final = 1e-4  # of the right gradient: what is zero but for this shows nothing
_IN_PART: Final[Mapping[Code, frozenset[Code]]] = {
    Code.SIGN: frozenset({Code.TERM_SIGN}),
    Code.SCALE: frozenset({Code.TERM_SCALE, Code.DOUBLE_COUNTED}),
    Code.TERM_SIGN: frozenset({Code.SIGN}),
    Code.TERM_SCALE: frozenset({Code.SCALE}),
    # Without its upstream gradient a part is another part, or none.
    Code.MISSING_UPSTREAM: frozenset({Code.MISSING_TERM, Code.MISSING_LOCAL}),
    Code.MISSING_LOCAL: frozenset({Code.MISSING_TERM}),
    Code.OVERWRITTEN: frozenset({Code.MISSING_LOCAL}),
}


@dataclass(frozen=True)
class Mistake:
    """A mistake in one line of a key.

    ``step`` is the checkpoint at which it shows, ``what`` says what was done, and ``codes`` are the kinds that name it
    rightly. ``written`` stands in place of ``right``, which is the line ``number`` of the key. ``is_asked`` says that
    the line sets what is asked for from what is asked for. Who derives a closed form does not write the other lines.
    """

    step: str
    what: str
    codes: frozenset[Code]
    number: int
    right: str
    written: str
    is_asked: bool = True

    def __str__(self) -> str:
        changed = [line for line in self.written.splitlines() if line not in self.right.splitlines()]
        return f"{self.step}: {self.what}: {'; '.join(line.strip() for line in changed) or self.written}"


def mistakes(instance: Instance, run: KeyRun, per_line: int | None = None) -> list[Mistake]:
    """Return the mistakes in the lines of a key, those of a line in a fixed order.

    Two that give the same numbers are one mistake, which either kind names rightly.

    :param per_line: at most so many of each line, of as many sorts as possible; None for all
    """
    expected = reference(instance)
    asked = [checkpoint.name for checkpoint in instance.exercise.checkpoints]
    found: list[Mistake] = []
    for number, line in enumerate(run.lines):
        step = _step_of(line, asked, expected)
        if step is not None:
            made = _of_line(number, line, step, _is_asked(line, asked, expected), run, expected)
            distinct = _distinct(made, number, run, expected)
            found += _mixed(distinct, per_line)
    return found


def _step_of(line: Line, asked: Sequence[str], expected: Reference) -> str | None:
    """Return the checkpoint at which a mistake in a line shows; None if there are several, or none.

    A step that is no checkpoint is looked through, as the grader does.
    """
    if line.name in asked:
        return line.name
    below = {step.name: list(step.reads) for step in expected.cut.steps}
    reached, waiting = set[str](), list(below.get(line.name, ()))
    while waiting:
        name = waiting.pop()
        if name in asked:
            reached.add(name)
        else:
            waiting += below.get(name, ())
    return reached.pop() if len(reached) == 1 else None


def _is_asked(line: Line, asked: Sequence[str], expected: Reference) -> bool:
    """Whether a line sets a gradient that is asked for, and reads no other gradient than such."""
    names = {each.id for each in ast.walk(ast.parse(line.code)) if isinstance(each, ast.Name)}
    read = {name[1:] for name in names if name[:1] == "d" and name[1:] in expected.gradients}
    given = {name for name in read if f"d{name}" in expected.state}
    return line.name in asked and read - given <= set(asked)


def _of_line(number: int, line: Line, step: str, is_asked: bool, run: KeyRun, expected: Reference) -> Iterator[Mistake]:
    """Yield every change of a line as a mistake."""
    scope = _scope(number, line, run, expected)
    body = ast.parse(line.code).body
    later = " ".join(other.code for other in run.lines[number + 1 :])
    for start, alike in _alike(body):
        match alike[0]:
            case ast.Assign([ast.Name(name)]) if name != line.answer and re.search(rf"\b{name}\b", later):
                continue  # a helper of several lines: a mistake in it shows at each of them
        for made in zip(*(changes.of_statement(statement, scope) for statement in alike), strict=False):
            nodes = [change.node for change in made if isinstance(change.node, ast.stmt)]
            changed = [*body[:start], *nodes, *body[start + len(nodes) :]]
            module = ast.fix_missing_locations(ast.Module(changed, []))
            change, codes = made[0], made[0].codes
            if line.name != step or start + len(nodes) < len(body):
                codes = _of_part(codes)
            elif len(getattr(line, "terms", ())) == 1:
                codes = _of_one_use(codes)
            yield Mistake(step, change.what, codes, number, line.code, ast.unparse(module), is_asked)


def _alike(body: Sequence[ast.stmt]) -> Iterator[tuple[int, list[ast.stmt]]]:
    """Yield runs of statements that differ in numbers alone, each with its place: a loop that a key unrolled.

    Who makes a mistake in a loop makes it in each turn.
    """
    place = 0
    for _, alike in groupby(body, lambda statement: re.sub(r"\b\d+\b", "0", ast.unparse(statement))):
        statements = list(alike)
        yield place, statements
        place += len(statements)


def _of_part(codes: frozenset[Code]) -> frozenset[Code]:
    """Return the kinds of a change in a part of a gradient: the part may be one term of several."""
    return codes.union(*(_IN_PART[code] for code in codes if code in _IN_PART))


def _of_one_use(codes: frozenset[Code]) -> frozenset[Code]:
    """Return the kinds of a change of a gradient with one use: its terms are those of one local derivative."""
    in_terms = {Code.MISSING_TERM, Code.TERM_SIGN, Code.TERM_SCALE, Code.DOUBLE_COUNTED}
    return codes | {Code.MISSING_LOCAL} if codes & in_terms else codes


def _scope(number: int, line: Line, run: KeyRun, expected: Reference) -> changes.Scope:
    """Return what the names of a line are."""
    before = {name: value for name, value in run.before(number).items() if isinstance(value, Tensor)}
    known = {**expected.state, **before}  # an exercise may give gradients, such as dhpreact
    upstream = [name for name in known if name[:1] == "d" and name[1:] in expected.state]
    helpers = _helpers_with_gradient([*run.lines[:number], line], upstream)
    local = [name for name, value in expected.state.items() if value.is_floating_point() and value.dim()]
    local = [name for name in local if name not in upstream]
    shapes = {name: value.shape for name, value in known.items()}
    return changes.Scope(
        {name: _neighbours(name, upstream, shapes) for name in (*upstream, *helpers)},
        {name: _neighbours(name, local, shapes) for name in local},
        frozenset(name for name, value in expected.state.items() if not value.dim()),
    )


def _helpers_with_gradient(lines: Iterable[Line], upstream: Sequence[str]) -> list[str]:
    """Return the helpers of a key that hold a gradient: those that are made of one."""
    names, helpers = {*upstream, *(line.answer for line in lines)}, []
    for line in lines:
        for statement in ast.parse(line.code).body:
            match statement:
                case ast.Assign([ast.Name(name)], value) if name not in names:
                    if any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(value)):
                        names.add(name)
                        helpers.append(name)
    return helpers


def _neighbours(name: str, names: Sequence[str], shapes: Mapping[str, torch.Size]) -> list[str]:
    """Return the nearest names whose tensors have the same shape."""
    place = names.index(name) if name in names else len(names)
    alike = [each for each in names if each != name and shapes[each] == shapes.get(name)]
    return sorted(alike, key=lambda each: abs(names.index(each) - place))[:NEIGHBOURS]


def _distinct(made: Iterable[Mistake], number: int, run: KeyRun, expected: Reference) -> list[Mistake]:
    """Keep what is a mistake, each set of numbers once, and add the kinds that its numbers allow as well."""
    right = run.made.get(run.lines[number].answer)
    if not isinstance(right, Tensor):
        return []
    kept: list[tuple[Mistake, Tensor]] = []
    for mistake in made:
        value = _value(mistake, run)
        if value is None or close(value, right) or float(value.abs().max()) < DEGENERATE * float(right.abs().max()):
            continue
        same = next((place for place, (_, other) in enumerate(kept) if _same(value, other)), None)
        if same is None:
            codes = mistake.codes | _codes_of_numbers(value, right, number, run, expected)
            kept.append((replace(mistake, codes=codes), value))
        else:
            first, other = kept[same]
            kept[same] = replace(first, codes=first.codes | mistake.codes), other
    return [mistake for mistake, _ in kept]


def _value(mistake: Mistake, run: KeyRun) -> Tensor | None:
    """Return what a mistake gives; None if torch refuses it, or nobody takes it for a gradient."""
    try:
        value = run.value(mistake.number, compiled(mistake.written))
    except Exception:  # shapes that do not fit: torch says so, and no grader is needed
        return None
    if not isinstance(value, Tensor) or not value.numel() or not value.is_floating_point():
        return None
    return value.detach().clone() if bool(value.isfinite().all()) else None


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and close(one, other)


def _codes_of_numbers(value: Tensor, right: Tensor, number: int, run: KeyRun, expected: Reference) -> frozenset[Code]:
    """Return the kinds that are true of the numbers, whatever was done: a multiple, or another step's gradient."""
    codes = set[Code]()
    if value.shape == right.shape and right.abs().max() > 0:
        one, other = value.double().reshape(-1), right.double().reshape(-1)
        weight = float(one @ other / (other @ other))
        if weight and close(value, (weight * right.double()).to(right.dtype)):
            codes |= {Code.SIGN} if weight < 0 else set()
            codes |= {Code.SCALE} if abs(abs(weight) - 1) > 1e-5 else set()
    names = [line.answer for line in run.lines[:number]]
    others = [run.before(number).get(name) for name in names]
    if any(isinstance(other, Tensor) and _same(value, other) for other in others):
        codes.add(Code.SWAPPED)
    return frozenset(codes)


def _mixed(made: Sequence[Mistake], most: int | None) -> list[Mistake]:
    """Return at most so many mistakes: the first of each sort, then the second of each."""
    if most is None or len(made) <= most:
        return list(made)
    sorts: dict[str, list[Mistake]] = defaultdict(list)
    for mistake in made:
        sorts[mistake.what].append(mistake)
    turns = [(turn, place, mistake) for place, sort in enumerate(sorts.values()) for turn, mistake in enumerate(sort)]
    return [mistake for _, _, mistake in sorted(turns, key=lambda each: each[:2])[:most]]
