"""Which names a statement may change through another name for the same memory.

Each value is a set of *tokens*: the objects that it may share memory with. A write to a value changes every name that
holds one of its tokens. The analysis errs on the side of "may": a statement too many is harmless, and one too few
makes a right answer wrong.

1. Views, rows, iterators, containers and results of unknown functions keep the tokens of what they are made of.
2. Arithmetic, reductions and ``clone()`` give a new token.
3. A function of the notebook is read once: what it writes, and what it returns, in terms of its parameters.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dojo.notebook_slice.callables import (
    BUILTIN_VIEWS,
    CONTAINER_METHODS,
    FRESH_METHODS,
    SHOWING_MODULES,
    SHOWING_NAME,
    TENSOR_CHANGING_METHODS,
    UNSHARED_ATTRIBUTES,
    VIEW_FUNCTIONS,
    VIEW_METHODS,
    first_argument_written,
    is_in_place,
)
from dojo.notebook_slice.dataflow import Function

# ("t", n) is a tensor made here, ("o", n) any other object, ("g", name) the value of a name that nothing here makes,
# ("p", name) a parameter, ("m", module) something of a library, ("f", node) a function and ("c", node) a class.
Token = tuple[str, object]
Value = frozenset[Token]
Routine = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_NOTHING: Value = frozenset()
_BUILTINS = frozenset(dir(builtins))
_OF_THE_GRADER = frozenset({"cmp", "__cmp__", "display"})  # they change nothing
_CALL_DEPTH_MAX = 20  # of functions that call each other


@dataclass
class Changes:
    """The names that a statement changes: ``certain``, and those that an unknown function ``perhaps`` changes."""

    certain: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)


@dataclass
class _Summary:
    """A function in terms of its parameters and outer names: tokens that it writes, stores and returns."""

    written: set[Token] = field(default_factory=set)
    stored: list[tuple[Value, Value]] = field(default_factory=list)
    returned: set[Token] = field(default_factory=set)
    rebound: set[str] = field(default_factory=set)


class Aliases:
    """The values of a notebook's names while its statements are read from top to bottom."""

    def __init__(self, statements: Iterable[ast.stmt]) -> None:
        self.imports: dict[str, str] = {"torch": "torch", "F": "torch.nn.functional"}
        self.methods: dict[str, list[Function]] = {}
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.Import):
                    for name in node.names:
                        self.imports[name.asname or name.name.partition(".")[0]] = (
                            name.name if name.asname else name.name.partition(".")[0]
                        )
                elif isinstance(node, ast.ImportFrom) and node.module:
                    for name in node.names:
                        self.imports[name.asname or name.name] = f"{node.module}.{name.name}"
                elif isinstance(node, ast.ClassDef):
                    for member in node.body:
                        if isinstance(member, Function):
                            self.methods.setdefault(member.name, []).append(member)
        self.summaries: dict[ast.AST, _Summary] = {}
        self._scope = _Scope(self)

    def read(self, statement: ast.stmt) -> Changes:
        """Read the next statement, and return what it changes."""
        scope = self._scope
        scope.changes = Changes()
        scope.statement(statement)
        return scope.changes


class _Scope:
    """The names of one scope and their values. ``local_names`` is None at the top of the notebook."""

    def __init__(
        self, aliases: Aliases, local_names: frozenset[str] | None = None, outer: _Scope | None = None
    ) -> None:
        self.aliases = aliases
        self.local_names = local_names
        self.outer = outer
        self.depth: int = outer.depth + 1 if outer else 0
        self.values: dict[str, Value] = {}
        self.holders: dict[Token, set[str]] = {}
        self.changes = Changes()
        self.summary = _Summary()
        self.declared: set[str] = set()
        self._weak = 0  # inside of a branch or a loop, where a name may keep its old value
        self._made = 0

    # -- names and tokens ---------------------------------------------------------------------------

    def value_of(self, name: str) -> Value:
        """Return the value of a name."""
        if name in self.values:
            return self.values[name]
        if name in self.aliases.imports:
            return frozenset({("m", self.aliases.imports[name].partition(".")[0])})
        if name in _OF_THE_GRADER:
            return frozenset({("m", "grader")})
        if name in _BUILTINS:
            return _NOTHING
        if self.outer is not None and (self.local_names is None or name not in self.local_names):
            known = self.outer._known(name)
            functions = frozenset(token for token in known if token[0] in "fc")
            return functions | {("g", name)}
        token = ("g", name)
        if self.outer is None:
            self.holders.setdefault(token, set()).add(name)
        return frozenset({token})

    def _known(self, name: str) -> Value:
        if name in self.values:
            return self.values[name]
        return self.outer._known(name) if self.outer is not None else _NOTHING

    def bind(self, name: str, value: Value) -> None:
        """Give a name a value; inside of a branch, one more value."""
        if name in self.declared:
            self.summary.rebound.add(name)
            self.changes.certain.add(name)
        old = self.values.get(name, _NOTHING)
        if self._weak:
            value |= old
        else:
            for token in old:
                self.holders.get(token, set()).discard(name)
            self.holders.get(("g", name), set()).discard(name)
        self.values[name] = value
        for token in value:
            self.holders.setdefault(token, set()).add(name)

    def new(self, kind: str) -> Value:
        """Return the value of a new object."""
        self._made += 1
        return frozenset({(kind, (id(self), self._made))})

    def write(self, value: Value, *, perhaps: bool = False) -> None:
        """Note that the objects of a value change."""
        self.summary.written |= {token for token in value if token[0] in "pg"}
        names = self.changes.perhaps if perhaps else self.changes.certain
        for token in value:
            names |= self.holders.get(token, set())
            if token[0] == "g" and self.outer is None:
                names.add(str(token[1]))

    def write_container(self, value: Value) -> None:
        """Note that a list, a dict or an object changes, and not what it holds."""
        containers = frozenset(token for token in value if token[0] == "o")
        unknown = frozenset(token for token in value if token[0] in "pgc")
        self.write(containers or unknown or value)
        self.summary.written |= frozenset(token for token in value if token[0] == "p")

    def store(self, container: Value, value: Value) -> None:
        """Note that a container holds a value from now on. A tensor copies what is stored into it."""
        if not value - container or (container and all(token[0] == "t" for token in container)):
            return
        self.summary.stored.append((container, value))
        for token in container:
            for name in tuple(self.holders.get(token, ())):
                self.values[name] = self.values.get(name, _NOTHING) | value
                for held in value:
                    self.holders.setdefault(held, set()).add(name)

    # -- statements ---------------------------------------------------------------------------------

    def block(self, statements: Iterable[ast.stmt]) -> None:
        """Read statements that run."""
        for statement in statements:
            self.statement(statement)

    def _branch(self, statements: Iterable[ast.stmt], times: int = 1) -> None:
        self._weak += 1
        for _ in range(times):
            self.block(statements)
        self._weak -= 1

    def statement(self, node: ast.stmt) -> None:
        """Read one statement."""
        match node:
            case ast.Assign():
                for target in node.targets:
                    self._assign(target, node.value)
            case ast.AnnAssign(value=ast.expr() as assigned):
                self._assign(node.target, assigned)
            case ast.AugAssign():
                self._augment(node)
            case ast.Expr():
                self.value(node.value, discarded=True)
            case ast.For() | ast.AsyncFor():
                self._weak += 1
                self._iterate(node.target, node.iter)
                self._weak -= 1
                self._branch([*node.body, *node.orelse], times=2)
            case ast.While():
                self.value(node.test)
                self._branch([*node.body, *node.orelse], times=2)
            case ast.If():
                self.value(node.test)
                self._branch(node.body)
                self._branch(node.orelse)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self._bind_target(item.optional_vars, value)
                self.block(node.body)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.bind(node.name, frozenset({("f", node)}))
            case ast.ClassDef():
                self.bind(node.name, frozenset({("c", node)}))
            case ast.Return(value=ast.expr() as result):
                self.summary.returned |= self.value(result)
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Subscript | ast.Attribute):
                        self.write(self.value(target.value))
            case ast.Global() | ast.Nonlocal():
                self.declared |= set(node.names)
            case ast.Match():
                matched = self.value(node.subject)
                self._weak += 1
                for case in node.cases:
                    for part in ast.walk(case.pattern):
                        if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                            self.bind(part.name, matched)
                self._weak -= 1
                for case in node.cases:
                    self._branch(case.body)
            case _:
                self._other(node)

    def _other(self, node: ast.stmt) -> None:
        """Read a ``try``, and whatever else holds statements or expressions."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._branch([child])
            elif isinstance(child, ast.ExceptHandler):
                self._branch(child.body)
            elif isinstance(child, ast.expr):
                self.value(child)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if (
            isinstance(target, ast.Tuple | ast.List)
            and isinstance(value, ast.Tuple | ast.List)
            and len(target.elts) == len(value.elts)
            and not any(isinstance(part, ast.Starred) for part in (*target.elts, *value.elts))
        ):
            values = [self.value(part) for part in value.elts]
            for part, one in zip(target.elts, values):  # noqa: B905  (of one length)
                self._bind_target(part, one)
        else:
            self._bind_target(target, self.value(value))

    def _bind_target(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name():
                self.bind(target.id, value)
            case ast.Tuple() | ast.List():
                for part in target.elts:
                    self._bind_target(part, value)
            case ast.Starred():
                self._bind_target(target.value, value)
            case ast.Subscript() | ast.Attribute():
                container = self.value(target.value)
                if isinstance(target, ast.Subscript):
                    self.value(target.slice)
                if _is_of_container(target):
                    self.write_container(container)
                else:
                    self.write(container)
                self.store(container, value)

    def _augment(self, node: ast.AugAssign) -> None:
        value = self.value(node.value)
        if isinstance(node.target, ast.Name):
            held = self.value_of(node.target.id)
            self.write(held)
            if isinstance(node.value, ast.List | ast.Tuple | ast.ListComp | ast.Dict):
                self.store(held, value)
        elif isinstance(node.target, ast.Subscript | ast.Attribute):
            self.write(self.value(node.target.value))

    def _iterate(self, target: ast.expr, iterable: ast.expr) -> None:
        """Bind the variables of a loop: of ``zip`` and ``enumerate`` each its own."""
        name = iterable.func.id if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) else None
        if isinstance(iterable, ast.Call) and isinstance(target, ast.Tuple | ast.List):
            if name == "zip" and len(target.elts) == len(iterable.args):
                for part, one in zip(target.elts, iterable.args):  # noqa: B905  (of one length)
                    self._iterate(part, one)
                return
            if name == "enumerate" and iterable.args and len(target.elts) == 2:
                self._bind_target(target.elts[0], _NOTHING)
                self._iterate(target.elts[1], iterable.args[0])
                return
            items = isinstance(iterable.func, ast.Attribute) and iterable.func.attr == "items"
            if items and isinstance(iterable.func, ast.Attribute) and len(target.elts) == 2:
                self._bind_target(target.elts[0], _NOTHING)
                self._bind_target(target.elts[1], self.value(iterable.func.value))
                return
        self._bind_target(target, self.value(iterable))

    # -- expressions --------------------------------------------------------------------------------

    def value(self, node: ast.expr, *, discarded: bool = False) -> Value:
        """Return what an expression shares memory with. Nobody sees the result of a ``discarded`` one."""
        match node:
            case ast.Name():
                return self.value_of(node.id)
            case ast.Constant():
                return _NOTHING
            case ast.Call():
                return _Call(self, node, discarded).result()
            case ast.Attribute():
                value = self.value(node.value)
                return _NOTHING if node.attr in UNSHARED_ATTRIBUTES else value
            case ast.Subscript():
                self.value(node.slice)
                return self.value(node.value)
            case ast.BinOp():
                left, right = self.value(node.left), self.value(node.right)
                joins = isinstance(node.op, ast.Add | ast.BitOr | ast.Mult)
                return left | right if joins and _is_container(node, left | right) else self.new("t")
            case ast.UnaryOp():
                self.value(node.operand)
                return self.new("t")
            case ast.Lambda():
                return frozenset({("f", node)})
            case ast.NamedExpr():
                value = self.value(node.value)
                self._bind_target(node.target, value)
                return value
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.Yield() | ast.YieldFrom():
                if node.value is not None:
                    self.summary.returned |= self.value(node.value)
                return _NOTHING
            case ast.List() | ast.Set() | ast.Dict():
                return self._parts(node) | self.new("o")
            case ast.Compare():
                for part in (node.left, *node.comparators):
                    self.value(part)
                return _NOTHING
            case _:  # what is left holds its parts: a tuple, a condition, a starred expression
                return self._parts(node)

    def _parts(self, node: ast.expr) -> Value:
        children = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        return _NOTHING.union(*(self.value(child) for child in children))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        self._weak += 1
        for generator in node.generators:
            self._iterate(generator.target, generator.iter)
            for condition in generator.ifs:
                self.value(condition)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        value = _NOTHING.union(*(self.value(part, discarded=True) for part in parts))
        self._weak -= 1
        return value | self.new("o")


def _is_of_container(target: ast.Subscript | ast.Attribute) -> bool:
    """Return whether what is assigned to is no part of a tensor: ``grads["h"]``, ``layer.out``."""
    if isinstance(target, ast.Attribute):
        return target.attr not in ("data", "grad", "real", "imag", "T")
    return isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str)


def _is_container(node: ast.BinOp, value: Value) -> bool:
    shown = (ast.List, ast.Tuple, ast.Dict, ast.ListComp)
    return isinstance(node.left, shown) or isinstance(node.right, shown) or any(token[0] == "o" for token in value)


class _Call:
    """One call: what it changes, and what its result shares memory with."""

    def __init__(self, scope: _Scope, node: ast.Call, discarded: bool) -> None:
        self.scope = scope
        self.node = node
        self.discarded = discarded
        self.positional = [scope.value(argument) for argument in node.args]
        self.named = {keyword.arg: scope.value(keyword.value) for keyword in node.keywords}
        self.arguments: Value = _NOTHING.union(*self.positional, *self.named.values())

    def result(self) -> Value:
        """Note the changes, and return the result."""
        function, scope = self.node.func, self.scope
        if "out" in self.named:
            scope.write(self.named["out"])
        dotted = self._dotted(function)
        if dotted is not None:
            return self._of_library(dotted)
        if isinstance(function, ast.Name) and function.id in _BUILTINS and not scope._known(function.id):
            return self._of_python(function.id)
        if isinstance(function, ast.Attribute):
            return self._of_object(function)
        return self._of_value(scope.value(function))

    def _dotted(self, node: ast.expr) -> str | None:
        """Return ``torch.nn.init.zeros_`` for a function of an imported module, or None."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self.scope.values or node.id not in self.scope.aliases.imports:
            return None
        return ".".join([self.scope.aliases.imports[node.id], *reversed(parts)])

    def _of_library(self, dotted: str) -> Value:
        scope = self.scope
        module, _, name = dotted.rpartition(".")
        first = self.positional[0] if self.positional else _NOTHING
        if first_argument_written(dotted):
            scope.write(first)
            scope.store(first, _NOTHING.union(*self.positional[1:]))
            return first
        if dotted.startswith("numpy.") and self.discarded and len(self.positional) > 1:
            scope.write(self.positional[-1])  # numpy's functions accept their output as the last argument
        result = self._with_functions(self.arguments)
        root = dotted.partition(".")[0]
        if name in VIEW_FUNCTIONS or name in VIEW_METHODS or any(token[0] == "f" for token in self.arguments):
            return result
        if root in ("torch", "numpy", "math", "cmath", "statistics", "einops", "opt_einsum"):
            return scope.new("t")
        if self.discarded and module and root not in SHOWING_MODULES and not SHOWING_NAME.match(name):
            scope.write(self.arguments)
        return self.arguments | {("m", root)}

    def _of_python(self, name: str) -> Value:
        first = self.positional[0] if self.positional else _NOTHING
        if name in ("setattr", "delattr"):
            self.scope.write(first)
            self.scope.store(first, self.arguments)
        result = self._with_functions(self.arguments)
        if name == "super":
            return self.scope.value_of("self")
        return result if name in BUILTIN_VIEWS else _NOTHING

    def _of_object(self, function: ast.Attribute) -> Value:
        scope, name = self.scope, function.attr
        receiver = scope.value(function.value)
        result: Value = self._with_functions(receiver | self.arguments) - receiver - self.arguments
        methods = scope.aliases.methods.get(name, [])
        for method in methods:
            if not all(token[0] == "m" for token in receiver) or not receiver:
                result |= self._apply(method, [*_bound_first(method, receiver), *self.positional])
        if is_in_place(name):
            scope.write(receiver)
            return result | receiver
        if name in CONTAINER_METHODS:
            if name in TENSOR_CHANGING_METHODS:
                scope.write(receiver)
            else:
                scope.write_container(receiver)
            scope.store(receiver, self.arguments)
            return result | receiver
        if name in VIEW_METHODS:
            return result | receiver
        if methods or name in FRESH_METHODS:
            return result or scope.new("t")
        if self.discarded and receiver and not any(token[0] == "m" for token in receiver):
            scope.write(receiver, perhaps=True)
            scope.store(receiver, self.arguments)
        return result | receiver | self.arguments

    def _of_value(self, callee: Value) -> Value:
        """Call whatever a value may be: functions and classes of the notebook, or something unknown."""
        scope = self.scope
        functions = [token[1] for token in callee if token[0] == "f"]
        classes = [token[1] for token in callee if token[0] == "c"]
        held = frozenset(token for token in callee if token[0] not in "fc")
        bound = frozenset(token for token in held if token[0] != "g") if functions else held
        result = _NOTHING
        for function in functions:
            assert isinstance(function, Routine)
            result |= self._apply(function, self.positional, bound)
        for made in classes:
            assert isinstance(made, ast.ClassDef)
            instance = scope.new("o") | self.arguments
            for member in made.body:
                if isinstance(member, Function) and member.name == "__init__":
                    self._apply(member, [instance, *self.positional])
            result |= instance
        if functions or classes:
            return result
        scope.write(callee, perhaps=True)
        if self.discarded and not any(token[0] == "m" for token in callee):
            scope.write(self.arguments, perhaps=True)
        return callee | self.arguments

    def _with_functions(self, others: Value) -> Value:
        """Call the functions among the arguments with everything else, as ``map`` does, and return all values."""
        result = others
        plain = frozenset(token for token in others if token[0] not in "fc")
        for token in sorted(self.arguments, key=str):
            if token[0] == "f":
                assert isinstance(token[1], Routine)
                result |= self._apply(token[1], [plain] * len(_positional(token[1].args)))
        return result

    def _apply(self, function: Routine, positional: list[Value], bound: Value = _NOTHING) -> Value:
        """Apply what a function does to its arguments. ``bound`` may stand for any of them, as in a ``partial``."""
        scope = self.scope
        summary = _summary(scope, function)
        given = self._given(function, positional)

        def actual(tokens: Iterable[Token]) -> Value:
            values = []
            for token in tokens:
                if token[0] == "p":
                    values.append(given.get(str(token[1]), _NOTHING) | bound)
                elif token[0] == "g":
                    values.append(scope.value_of(str(token[1])))
                elif token[0] in "fcm":
                    values.append(frozenset({token}))
            return _NOTHING.union(*values)

        scope.write(actual(summary.written))
        for container, value in summary.stored:
            scope.store(actual(container), actual(value))
        scope.changes.certain |= summary.rebound
        scope.summary.rebound |= summary.rebound
        returned = actual(summary.returned)
        return returned if returned or not summary.returned else scope.new("t")

    def _given(self, function: Routine, positional: list[Value]) -> dict[str, Value]:
        arguments = function.args
        names = [parameter.arg for parameter in _positional(arguments)]
        if any(isinstance(argument, ast.Starred) for argument in self.node.args):
            positional = [_NOTHING.union(*positional)] * max(len(names), len(positional))
        given = dict(zip(names, positional))  # noqa: B905  (the rest goes to *args, or has a default)
        if arguments.vararg:
            given[arguments.vararg.arg] = _NOTHING.union(*positional[len(names) :])
        for name, value in self.named.items():
            if name is None:
                given |= {each: given.get(each, _NOTHING) | value for each in names}
            else:
                given[name] = value
                if arguments.kwarg:
                    given[arguments.kwarg.arg] = given.get(arguments.kwarg.arg, _NOTHING) | value
        defaults = [*zip(names[::-1], arguments.defaults[::-1])]  # noqa: B905  (the last ones have defaults)
        defaults += [
            (parameter.arg, default)
            for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults)  # noqa: B905
            if default is not None
        ]
        for name, default in defaults:
            if name not in given and isinstance(default, ast.Name):
                given[name] = self.scope.value_of(default.id)
        return given


def _bound_first(method: Function, receiver: Value) -> list[Value]:
    """Return what a method gets before its arguments: the object, or nothing if it is static or taken of the class."""
    decorators = {node.id for node in method.decorator_list if isinstance(node, ast.Name)}
    is_of_class = any(token[0] == "c" for token in receiver) and "classmethod" not in decorators
    return [] if is_of_class or "staticmethod" in decorators else [receiver]


def _positional(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args]


def _summary(scope: _Scope, function: Routine) -> _Summary:
    """Return what a function does. A function that calls itself sees nothing of what it does, the first time."""
    summaries = scope.aliases.summaries
    if function in summaries:
        return summaries[function]
    if scope.depth > _CALL_DEPTH_MAX:
        return _Summary()
    summaries[function] = _Summary()
    parameters = [argument.arg for argument in _parameters(function.args)]
    body = function.body if isinstance(function.body, list) else [ast.Expr(function.body)]
    stored = {node.id for node in _own_nodes(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    inner = _Scope(scope.aliases, frozenset(stored) | frozenset(parameters), scope)
    for name in parameters:
        inner.bind(name, frozenset({("p", name)}))
    if isinstance(function, ast.Lambda):
        inner.summary.returned |= inner.value(function.body, discarded=True)
    else:
        inner.block(body)
    summaries[function] = inner.summary
    return inner.summary


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from filter(None, (arguments.vararg, arguments.kwarg))


def _own_nodes(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of statements, without those of functions inside of them."""
    for statement in statements:
        yield statement
        if not isinstance(statement, (*Function.__args__, ast.Lambda, ast.ClassDef)):
            yield from _own_nodes(ast.iter_child_nodes(statement))
