"""The kind of a statement: an answer, a comparison, or something that is not taken."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from dojo.notebook_slice.callables import GRADER_MODULES
from dojo.notebook_slice.comparisons import ANY_ORDER, CMP
from dojo.notebook_slice.dataflow import Function, flow_of, shared_name
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.statements import Statement

_LOOPS = (ast.For, ast.While, ast.AsyncFor)
TRAINING_NAMES_MIN = 3  # a loop that makes so many handed-out names is a forward pass on other data

NO_FILES = "it reads a file or the keyboard"
NO_GRAD = "it reads .grad, and there is none where it is graded"
OTHER_DATA = "it computes on other data, or has torch go backward"
RANDOM = "it draws random numbers, and the exercise hands out its own"
NO_COMMAND_LINE = "it reads the command line"
UNFINISHED = "Python cannot read it"

_READING_CALLS = frozenset(
    "read_text read_bytes readlines read_csv read_parquet loadtxt genfromtxt urlopen urlretrieve fromfile memmap "
    "load_dataset hf_hub_download".split()
)
_DRAWING_CALLS = frozenset(
    "randn rand randint randperm normal randn_like rand_like multinomial bernoulli normal_ uniform_ kaiming_normal_ "
    "kaiming_uniform_ xavier_normal_ xavier_uniform_".split()
)
_DRAWING_LAYERS = frozenset("Linear Embedding".split())  # of torch.nn; a class of the notebook may have that name
_LOADING_MODULES = frozenset("torch np numpy pickle json joblib yaml safetensors".split())
# The sandbox has stand-ins for these, and the tests compare the two lists.
STAND_IN_MODULES = frozenset("matplotlib seaborn plotly bokeh altair graphviz torchviz IPython tqdm".split())
_MODULES = GRADER_MODULES | STAND_IN_MODULES | sys.stdlib_module_names


class Kind(Enum):
    """Why a statement cannot be taken."""

    FILES = auto()
    GRAD = auto()
    OTHER_DATA = auto()
    MODULE = auto()
    UNDEFINED = auto()
    UNFINISHED = auto()


@dataclass(frozen=True)
class Obstacle:
    """Why the grader cannot run a statement. ``is_undone`` says that the step's own row already tells it."""

    kind: Kind
    reason: str
    is_undone: bool = False

    @classmethod
    def undefined(cls, names: list[str], *, is_undone: bool, is_answer: bool) -> Obstacle:
        """Return the obstacle of names that nothing makes."""
        reason = f"{', '.join(names)} has no value before it"
        return cls(Kind.UNDEFINED, reason, is_undone)


class Kinds:
    """The kinds of a notebook's statements.

    ``compared`` maps a statement to the checkpoints that its calls of ``cmp`` are for; an empty name stands for a
    name that is known at run time only. ``usable`` holds the statements that are no placeholder, do not train, and
    do not call torch's ``backward``.
    """

    def __init__(self, statements: list[Statement], goal: Goal) -> None:
        self._goal = goal
        self._comparers = _comparer_names(statements)
        self._over_handed_out = self._loop_variables(statements)
        self._has_own_backward = any(_defines_backward(statement.node) for statement in statements)
        self._calls = {statement: self._comparing_calls(statement.node) for statement in statements}
        self.compared = {
            statement: set[str]().union(*(self._compared_by(call) for call in calls))
            for statement, calls in self._calls.items()
        }
        self.usable = dict.fromkeys(statement for statement in statements if self._is_usable(statement))
        self._obstacles: dict[Statement, Obstacle | None] = {}

    def obstacle(self, statement: Statement) -> Obstacle | None:
        """Return why the grader cannot run a statement, or None."""
        if statement not in self._obstacles:
            self._obstacles[statement] = self._find_obstacle(statement)
        return self._obstacles[statement]

    def handed_to_cmp(self, statement: Statement) -> set[str]:
        """Return the names of the gradients that a statement hands to ``cmp``."""
        arguments = (argument for call in self._calls[statement] for argument in _arguments(call))
        names = {argument.id for argument in arguments if isinstance(argument, ast.Name)}
        return names - self._goal.handed_out

    def is_placeholder(self, statement: Statement) -> bool:
        """Return whether a statement only says that an answer is still to come: ``dlogits = None``, ``dh = ...``."""
        node = statement.node
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            return False
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        return bool(statement.flow.binds & self._goal.variables) and all(_is_nothing(value) for value in values)

    def trains(self, statement: Statement) -> bool:
        """Return whether a statement holds a loop that computes the forward pass on other data: exercise 4."""
        is_definition = isinstance(statement.node, Function | ast.ClassDef)
        return not is_definition and any(self._trains(part) for part in ast.walk(statement.node))

    def _find_obstacle(self, statement: Statement) -> Obstacle | None:
        if statement.unfinished:
            return Obstacle(Kind.UNFINISHED, UNFINISHED, is_undone=True)
        if statement not in self.usable:
            return Obstacle(Kind.OTHER_DATA, OTHER_DATA)
        node = statement.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            return _import_obstacle(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                if _reads_command_line(part):
                    return Obstacle(Kind.FILES, NO_COMMAND_LINE)
                if _reads_file(part):
                    return Obstacle(Kind.FILES, NO_FILES)
                if _draws(part) and not isinstance(node, Function | ast.ClassDef):
                    return Obstacle(Kind.OTHER_DATA, RANDOM)
            elif isinstance(part, ast.Assign | ast.AugAssign | ast.AnnAssign):
                grad = next(self._grads_read(part), None)
                if grad is not None:
                    return Obstacle(Kind.GRAD, self._grad_reason(grad, statement))
        return None

    def only_reads_grad(self, statement: Statement, name: str) -> bool:
        """Return whether every value that a statement gives a name is torch's own gradient."""
        values = [
            node.value
            for node in ast.walk(statement.node)
            if isinstance(node, ast.Assign) and any(_is_name(target, {name}) for target in node.targets)
        ]
        return bool(values) and all(any(True for _ in self._grads_read(value)) for value in values)

    def reads_own_grad(self, statement: Statement, name: str) -> bool:
        """Return whether the only gradients of torch that a statement reads are those of the name's own tensor."""
        grads = {f"d{shared_name(grad)}" for grad in self._grads_read(statement.node)}
        return grads == {name}

    def _grads_read(self, node: ast.AST) -> Iterator[ast.Attribute]:
        tensors = self._goal.handed_out | self._over_handed_out
        for part in ast.walk(node):
            is_grad = isinstance(part, ast.Attribute) and part.attr == "grad" and isinstance(part.ctx, ast.Load)
            if isinstance(part, ast.Attribute) and is_grad and shared_name(part) in tensors:
                yield part

    def _loop_variables(self, statements: Iterable[Statement]) -> set[str]:
        """Return the variables of loops over hand-outs, as in ``for t in [logits, h]``."""
        loops = [node for each in statements for node in ast.walk(each.node) if isinstance(node, ast.For)]
        return {
            target.id
            for loop in loops
            if any(isinstance(part, ast.Name) and part.id in self._goal.handed_out for part in ast.walk(loop.iter))
            for target in ast.walk(loop.target)
            if isinstance(target, ast.Name)
        } - self._goal.variables

    def _grad_reason(self, grad: ast.Attribute, statement: Statement) -> str:
        """Return what to do: where the gradient of another step is read, its own variable can be written."""
        variable = f"d{shared_name(grad)}"
        if variable not in self._goal.variables or variable in statement.makes:
            return NO_GRAD
        return f"{NO_GRAD.replace(' .grad', f' {shared_name(grad)}.grad')}; write {variable}"

    def _is_usable(self, statement: Statement) -> bool:
        node = statement.node
        if self.is_placeholder(statement):
            return False
        if isinstance(node, Function | ast.ClassDef):
            return True
        return not any(self._is_torch_backward(part) or self._trains(part) for part in ast.walk(node))

    def _is_torch_backward(self, node: ast.AST) -> bool:
        """Return whether a node is torch's method ``backward``, not one of a class in the notebook."""
        if not isinstance(node, ast.Attribute) or node.attr != "backward":
            return False
        return not self._has_own_backward or self._is_handed_out(node)

    def _trains(self, node: ast.AST) -> bool:
        """Return whether a node is a loop that computes the forward pass on other data."""
        if not isinstance(node, _LOOPS):
            return False
        flow = flow_of(node)
        return len((flow.binds | flow.changes) & self._goal.handed_out) >= TRAINING_NAMES_MIN

    def _is_handed_out(self, node: ast.AST) -> bool:
        return isinstance(node, ast.expr) and shared_name(node) in self._goal.handed_out

    # -- comparisons --------------------------------------------------------------------------------

    def _comparing_calls(self, node: ast.stmt) -> list[ast.Call]:
        if isinstance(node, Function | ast.ClassDef):
            return []
        return [part for part in ast.walk(node) if isinstance(part, ast.Call) and _is_name(part.func, self._comparers)]

    def _compared_by(self, call: ast.Call) -> set[str]:
        """Return what a call of cmp is for, as the grader reads it: the tensor, else the text, else the answer."""
        checkpoint_by_variable = self._goal.checkpoint_by_variable
        arguments = _arguments(call)
        constants = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
        texts = {constant.strip() for constant in constants if isinstance(constant, str)}
        names = [argument.id for argument in arguments if isinstance(argument, ast.Name)]
        tensors = [argument for argument in arguments if not isinstance(argument, ast.Constant)]
        forward = [name for name in names if name in self._goal.checkpoints]
        answers = {checkpoint_by_variable[name] for name in names if name in checkpoint_by_variable}
        decisive = set(forward[-1:]) if len(tensors) > 1 else set()
        for candidates in (decisive, texts, {text.removeprefix("d") for text in texts}, set(names), answers):
            checkpoints = candidates & set(self._goal.checkpoints)
            if checkpoints:
                return checkpoints
        return set() if texts else {""}


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _is_nothing(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None or node.value is ... or isinstance(node.value, str)
    return isinstance(node, ast.Name) and node.id in ("NotImplemented", "TODO")


def _import_obstacle(node: ast.Import | ast.ImportFrom) -> Obstacle | None:
    """Return the obstacle of a module that is not there where it is graded, or None."""
    module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    is_relative = isinstance(node, ast.ImportFrom) and node.level > 0
    if not is_relative and module.partition(".")[0] in _MODULES:
        return None
    named = "." * (node.level if isinstance(node, ast.ImportFrom) else 0) + module
    return Obstacle(Kind.MODULE, f"it imports {named}, and that is not there where it is graded")


def _draws(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in _DRAWING_CALLS | _DRAWING_LAYERS
    return isinstance(call.func, ast.Name) and call.func.id in _DRAWING_CALLS


def _reads_command_line(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("parse_args", "parse_known_args")


def _reads_file(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in ("open", "input") or function.id in _READING_CALLS
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in _READING_CALLS:
        return True
    root = function.value.id if isinstance(function.value, ast.Name) else None
    return (function.attr == "load" and root in _LOADING_MODULES) or (
        function.attr in ("get", "urlopen") and root in ("requests", "urllib", "httpx")
    )


def _comparer_names(statements: Iterable[Statement]) -> set[str]:
    """Return the names under which cmp is called: second names for it, and functions that call it."""
    called_by: dict[str, set[str]] = {}  # each name → the names that are cmp if it is
    for statement in statements:
        for node in ast.walk(statement.node):
            if isinstance(node, Function):
                for part in ast.walk(node):
                    if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                        called_by.setdefault(part.func.id, set()).add(node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                called_by.setdefault(node.value.id, set()).update(names)
    comparers: set[str] = set()
    pending = [CMP, ANY_ORDER]
    while pending:
        name = pending.pop()
        if name not in comparers:
            comparers.add(name)
            pending += called_by.get(name, ())
    return comparers


def _is_name(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _defines_backward(node: ast.stmt) -> bool:
    """Return whether a node is a class with a method ``backward``."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(member, Function) and member.name == "backward" for member in node.body
    )
