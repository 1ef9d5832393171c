"""Hand-outs under other names, recognised by what they are made of, and named as the exercise names them.

1. The minibatch: rows of a dataset at random places, what the embedding is looked up with, what the loss picks.
2. Parameters: random numbers of a shape that only one of them has.
3. Tensors of the forward pass: those that have the lecture's value (``forward``), if ``cmp`` gets them or a gradient is
   named after them.
4. Values in a dict or in an object: ``cache["probs"]``, ``self.W1``, and gradients in one: ``grads["logits"]``.

An own name is only recognised if the exercise does not hand it out, and if it is made once.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dojo.notebook_slice.comparisons import ANY_ORDER, CMP
from dojo.notebook_slice.dataflow import Function
from dojo.notebook_slice.forward import Forward
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.statements import Part

_RANDOM = frozenset("randint randperm multinomial choice choices sample integers permutation".split())
_RANDOM_NUMBERS = frozenset("randn normal rand randn_like kaiming_normal_ xavier_normal_".split())
_CONSTANT_NUMBERS = frozenset({"ones", "zeros"})
_INPUT = re.compile(r"x|inp|context|feat", re.IGNORECASE)
_TARGET = re.compile(r"y|targ|label|tgt", re.IGNORECASE)
_HELD_BACK = re.compile(r"dev|val|te(st)?$", re.IGNORECASE)  # rows of these are not the batch
_GAIN = re.compile(r"(bn_?)?(gain|gamma|scale|weight|g)\d*$", re.IGNORECASE)
_BIAS = re.compile(r"(bn_?)?(bias|beta|shift|b)\d*$", re.IGNORECASE)
_GRADIENTS = re.compile(r"grad|^d[A-Z_]|^d$|^dl", re.IGNORECASE)
_SIZES = {"vocab_size": 27, "n_embd": 10, "n_hidden": 64, "block_size": 3, "batch_size": 32, "n": 32}
_SHAPES = {(27, 10): "C", (30, 64): "W1", (64,): "b1", (64, 27): "W2", (27,): "b2"}
_UNCHANGED_BY = frozenset("to long clone cuda cpu contiguous detach int".split())
_ANSWERED_IN_PLACE = frozenset({CMP, ANY_ORDER})


@dataclass(frozen=True)
class Renamed:
    """The parts with the exercise's names, and sentences about what was recognised and what differs."""

    parts: list[Part]
    remarks: tuple[str, ...]


def with_exercise_names(parts: list[Part], goal: Goal, *, containers: bool) -> Renamed:
    """Return the parts with the exercise's names for what it hands out.

    :param containers: whether gradients in dicts and objects count too
    """
    own = _OwnNames(parts, goal)
    names = own.names()
    remarks = [_recognised(names)] if names else []
    names |= _gradients_of(names, own, goal)
    forward = Forward(goal)
    for part in parts:
        forward.read(_renamed(part, names).node if names else part.node, part)
    computed = own.compared_or_derived(forward)
    if computed:
        remarks.append(_recognised(computed))
    names |= computed | _gradients_of(computed, own, goal)
    opaque = (own.opaque | own.parameters if containers else own.opaque) - own.shown
    replacer = _Replacer(names, goal, opaque, containers=containers)
    renamed = [_replaced(part, replacer) for part in parts]
    return Renamed(renamed, (*remarks, *forward.differences()))


def _recognised(names: dict[str, str]) -> str:
    pairs = [f"{own} as {handed_out}" for own, handed_out in sorted(names.items(), key=lambda pair: pair[1])]
    return f"Taken as handed out: {', '.join(pairs)}."


def _gradients_of(names: dict[str, str], own: _OwnNames, goal: Goal) -> dict[str, str]:
    """Return the gradients that are named after an own name: ``dhidden`` of ``hidden``."""
    return {
        "d" + name: "d" + handed_out
        for name, handed_out in names.items()
        if "d" + name in own.made
        and "d" + handed_out in goal.variables | goal.handed_out
        and "d" + handed_out not in own.made
    }


def _renamed(part: Part, names: dict[str, str]) -> Part:
    if not any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(part.node)):
        return part
    return replace(part, node=_Renamer(names).visit(copy.deepcopy(part.node)), as_written=False)


def _replaced(part: Part, replacer: _Replacer) -> Part:
    if not any(replacer.replaces(node) for node in ast.walk(part.node)):
        return part
    node = replacer.visit(copy.deepcopy(part.node))
    return replace(part, node=ast.fix_missing_locations(node), as_written=False)


@dataclass
class _OwnNames:
    """What a notebook's own names are made of. ``made`` counts how often each is bound.

    ``opaque`` are the names of dicts and objects that a call gives, ``parameters`` those of functions, and ``shown``
    those whose contents the notebook shows.
    """

    parts: list[Part]
    goal: Goal
    made: Counter[str] = field(default_factory=Counter)
    opaque: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._found: dict[str, str] = {}
        self._by_rows: set[str] = set()
        self._recognised: Counter[str] = Counter()  # how often a name is bound to a parameter's numbers
        self._random: set[str] = set()
        self._sizes: dict[str, int] = dict(_SIZES)
        self._listed: set[str] = set()
        self._functions = {
            node.name for part in self.parts for node in ast.walk(part.node) if isinstance(node, Function)
        }
        self._given: set[str] = set()  # to cmp
        self._changed: set[str] = set()
        nodes = [node for part in self.parts for node in ast.walk(part.node)]
        for node in nodes:
            self._count(node)
        for node in nodes:
            for target, value in _assignments(node):
                self._read_places(target, value)
        for node in nodes:
            for target, value in _assignments(node):
                self._read_assignment(target, value)
            self._read_use(node)

    def names(self) -> dict[str, str]:
        """Return the own names of the minibatch and of parameters, each with the exercise's name.

        Where a notebook has the exercise's name itself, nothing else is meant by it. What rows a name holds tells more
        than what it is used for, which may be all rows of a dataset.
        """
        by_rows = {handed_out for name, handed_out in self._found.items() if name in self._by_rows}
        return {
            name: handed_out
            for name, handed_out in self._found.items()
            if name
            and name not in self.goal.handed_out | self.goal.variables
            and handed_out in self.goal.handed_out
            and not self.made[handed_out]
            and (name in self._by_rows or handed_out not in by_rows)
            and (self.made[name] <= max(1, self._recognised[name]) or handed_out in ("Xb", "Yb"))
        }

    def compared_or_derived(self, forward: Forward) -> dict[str, str]:
        """Return the own names of forward tensors that ``cmp`` gets, or that a gradient is named after.

        What a loop makes under such a name, exercise 4 makes.
        """
        targets = (target for part in self.parts for target, _ in _assignments(part.node))
        at_the_top = Counter(target.id for target in targets if isinstance(target, ast.Name))
        return {
            name: handed_out
            for name, handed_out in forward.same.items()
            if at_the_top[name] == forward.made[name]
            and name not in self.goal.variables
            and name not in self._changed
            and (name in self._given or ("d" + name in self.made and "d" + handed_out not in self.made))
        }

    # -- what is read -------------------------------------------------------------------------------

    def _count(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            self.made[node.id] += 1
        elif isinstance(node, ast.arg):
            self.parameters.add(node.arg)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name):
                self._changed.add(node.value.id)
                self.shown |= {node.value.id} if isinstance(node, ast.Subscript) else set()
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._changed.add(node.target.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ANSWERED_IN_PLACE:
            tensors = [argument for argument in node.args if not isinstance(argument, ast.Constant)]
            self._given |= {argument.id for argument in tensors[1:] if isinstance(argument, ast.Name)}
        elif isinstance(node, ast.List) and isinstance(node.ctx, ast.Load):
            names = {item.id for item in node.elts if isinstance(item, ast.Name)}
            self._listed |= names if len(names) > 2 else set()

    def _read_assignment(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Call) and len(target.elts) >= 2:
            self._read_batch_call(target, value)
        if not isinstance(target, ast.Name):
            return
        name = target.id
        (self.opaque if isinstance(value, ast.Call) else self.shown).add(name)
        dataset, index = _rows_of(value)
        at_random = index is not None and (_base(index) in self._random or _called(index) in _RANDOM)
        first_rows = isinstance(index, ast.Slice) and any(each.match(name) for each in (_INPUT, _TARGET))
        if dataset is not None and (at_random or first_rows):
            self._read_rows(name, _base(dataset) or "")
        shape = self._shape(value)
        if shape is not None:
            self._read_parameter(name, shape, value)

    def _read_places(self, target: ast.expr, value: ast.expr) -> None:
        """Read ``ix = torch.randint(…)`` and ``n_hidden = 64``."""
        if not isinstance(target, ast.Name):
            return
        inner = value.value if isinstance(value, ast.Subscript) else value
        if _called(inner) in _RANDOM or (isinstance(value, ast.Subscript) and _base(value) in self._random):
            self._random.add(target.id)
            self._read_size(inner)
        if isinstance(value, ast.Constant) and type(value.value) is int:
            self._sizes.setdefault(target.id, value.value)

    def _read_batch_call(self, target: ast.Tuple, value: ast.Call) -> None:
        """Read ``xb, yb = get_batch("train")``: of a function that is not here, or gives a batch by its name."""
        called = _called(value) or ""
        if called in self._functions and "batch" not in called:
            return
        first, second = (part.id if isinstance(part, ast.Name) else "" for part in target.elts[:2])
        if _INPUT.match(first) and _TARGET.match(second):
            self._by_rows |= {first, second}
            self._found.setdefault(first, "Xb")
            self._found.setdefault(second, "Yb")

    def _read_rows(self, name: str, dataset: str) -> None:
        if _HELD_BACK.search(dataset):
            return
        for pattern, handed_out in ((_INPUT, "Xb"), (_TARGET, "Yb")):
            if pattern.match(dataset) or (not dataset and pattern.match(name)):
                self._found.setdefault(name, handed_out)
                self._by_rows.add(name)

    def _read_size(self, value: ast.expr) -> None:
        """Read ``torch.randint(0, len(X), (batch,))``: the size is the batch's."""
        for argument in value.args if isinstance(value, ast.Call) else ():
            if isinstance(argument, ast.Tuple) and len(argument.elts) == 1 and isinstance(argument.elts[0], ast.Name):
                self._found.setdefault(argument.elts[0].id, "n")

    def _read_parameter(self, name: str, shape: tuple[int, ...], value: ast.expr) -> None:
        is_random = _called_in(value, _RANDOM_NUMBERS)
        if not is_random and name not in self._listed:
            return
        self._recognised[name] += 1
        if shape in _SHAPES:
            self._found.setdefault(name, _SHAPES[shape])
        elif shape == (1, 64):
            is_gain = _GAIN.match(name) or (not _BIAS.match(name) and _adds_one(value))
            self._found.setdefault(name, "bngain" if is_gain else "bnbias")

    def _read_use(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            made, value = node.targets[0].id, node.value
            if made == "emb" and isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Name):
                self._found.setdefault(value.slice.id, "Xb")
            if made.startswith("loss"):
                self._read_loss(value)
        elif isinstance(node, ast.Call) and _called(node) in ("cross_entropy", "nll_loss"):
            for targets in node.args[1:2]:
                self._found.setdefault(_base(targets) or "", "Yb")

    def _read_loss(self, value: ast.expr) -> None:
        """Read ``-logprobs[range(n), Yb].mean()``."""
        for node in ast.walk(value):
            if not (
                isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2
            ):
                continue
            rows, targets = node.slice.elts
            if isinstance(rows, ast.Call) and isinstance(targets, ast.Name):
                self._found.setdefault(targets.id, "Yb")
                count = _base(rows.args[0]) if len(rows.args) == 1 else None
                if count is not None and self._sizes.get(count) == _SIZES["n"]:
                    self._found.setdefault(count, "n")

    def _shape(self, value: ast.expr) -> tuple[int, ...] | None:
        """Return the shape of new numbers such as ``torch.randn((vocab_size, n_embd)) * 0.1``, or None."""
        for node in ast.walk(value):
            if isinstance(node, ast.Call) and _called(node) in _RANDOM_NUMBERS | _CONSTANT_NUMBERS:
                sizes = node.args[0].elts if node.args and isinstance(node.args[0], ast.Tuple | ast.List) else node.args
                numbers = [self._number(size) for size in sizes]
                return tuple(number for number in numbers if number is not None) if None not in numbers else None
        return None

    def _number(self, node: ast.expr) -> int | None:
        if isinstance(node, ast.Constant):
            return node.value if type(node.value) is int else None
        if isinstance(node, ast.Name):
            return self._sizes.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            left, right = self._number(node.left), self._number(node.right)
            return left * right if left is not None and right is not None else None
        return None


class _Renamer(ast.NodeTransformer):
    """Gives names of the exercise to own names, parameters of functions and keywords included."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        self.generic_visit(node)
        node.arg = self.names.get(node.arg, node.arg) if node.arg else None
        return node


class _Replacer(_Renamer):
    """Gives the exercise's names to own names, and to what stands in dicts and objects."""

    def __init__(self, names: dict[str, str], goal: Goal, opaque: set[str], *, containers: bool) -> None:
        super().__init__(names)
        self._goal = goal
        self._opaque = opaque
        self._containers = containers

    def replaces(self, node: ast.AST) -> bool:
        """Return whether a node gets another name."""
        if isinstance(node, ast.Name):
            return node.id in self.names
        return isinstance(node, ast.Subscript | ast.Attribute) and self._inside(node) is not None

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return self._named(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._named(node)

    def _named(self, node: ast.Subscript | ast.Attribute) -> ast.expr:
        name = self._inside(node)
        if name is not None:
            return ast.copy_location(ast.Name(name, node.ctx), node)
        self.generic_visit(node)
        return node

    def _inside(self, node: ast.Subscript | ast.Attribute) -> str | None:
        """Return the exercise's name of a value in a dict or an object, or None."""
        if not isinstance(node.value, ast.Name):
            return None
        container = node.value.id
        if isinstance(node, ast.Attribute):
            key = node.attr
            if not self._containers:
                return None
        elif isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            key = node.slice.value
        else:
            return None
        if self._containers:
            if key in self._goal.variables:
                return key
            if "d" + key in self._goal.variables and _GRADIENTS.search(container):
                return "d" + key
        is_readable = container in self._opaque | {"self"} and not _GRADIENTS.search(container)
        if key in self._goal.handed_out and is_readable and isinstance(node.ctx, ast.Load):
            return key
        return None


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield targets with their values: of ``a, b = c, d`` each pair."""
    if isinstance(node, ast.For):
        yield node.target, ast.Call(ast.Name("next", ast.Load()), [node.iter], [])
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [node.target]
    for target in targets:
        value = node.value  # type: ignore[attr-defined]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            yield from zip(target.elts, value.elts)  # noqa: B905  (of one length)
        else:
            yield target, value


def _called(node: ast.AST | None) -> str | None:
    """Return the last name of the function that a call calls, or None."""
    if not isinstance(node, ast.Call):
        return None
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def _called_in(node: ast.expr, names: frozenset[str]) -> bool:
    return any(_called(part) in names for part in ast.walk(node))


def _rows_of(node: ast.expr) -> tuple[ast.expr | None, ast.expr | None]:
    """Return the dataset and the index of ``X[ix].to(device)``, ``X[ix, :]``, ``X.index_select(0, ix)``, or None."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _UNCHANGED_BY:
        node = node.func.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "index_select":
        parts = [node.func.value, *node.args] if len(node.args) == 2 else node.args
        return (parts[0], parts[2]) if len(parts) == 3 else (None, None)
    if not isinstance(node, ast.Subscript):
        return None, None
    index = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    return node.value, index


def _base(node: ast.expr) -> str | None:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _adds_one(node: ast.expr) -> bool:
    added = [part for part in ast.walk(node) if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add)]
    return _called_in(node, frozenset({"ones"})) or any(
        isinstance(side, ast.Constant) and side.value == 1 for part in added for side in (part.left, part.right)
    )
