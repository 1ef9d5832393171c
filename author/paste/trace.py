"""Record a function or an ``nn.Module`` on the author's own machine: each call of torch that it makes is a step.

A ``TorchFunctionMode`` sees each call from outside, so that a layer is one step. A step is called as the line of the
source calls it, where that can be found. What comes out is text of the language, and is pasted like any other.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from author.paste.document import Document
from author.paste.pasting import Pasted, compared, paste, read_back
from exercises.language import given as language_given
from exercises.language.errors import Refused
from exercises.language.expression import Call, Expression, Name, Part
from exercises.language.given import Drawn, Given
from exercises.language.operations import OPERATIONS, SPELLINGS, Operation
from exercises.language.step_names import StepNames
from exercises.language.writer import statement

_TORCH: Final = str(Path(torch.__file__).parent)
_HERE: Final = __file__
_ADVICE: Final = "Paste its lines as a file, where the reader says which line it is."
_VALUES: Final = ("__bool__", "__int__", "__index__", "__float__", "item", "tolist", "numpy", "nonzero", "unique")
_SAME: Final = ("contiguous", "to", "cpu", "cuda", "clone", "type_as", "requires_grad_", "type")
_NOISE: Final = {"randn_like": ("data", "eps"), "rand_like": ("uniform", "u"), "randn": ("data", "eps"),
                 "rand": ("uniform", "u")}  # fmt: skip
_GETTERS: Final = {"T": "t", "data": "detach"}
_ELEMENTS_MAX: Final = 400  # of a constant tensor that is written out


def paste_traced(target: Callable[..., Any], given_text: str, *, cut: bool = True) -> Pasted:
    """Return a function or module as an exercise. Its arguments are what is given, by name.

    :raises Refused: it does what the language does not hold, or the lines have other gradients
    """
    parts = language_given.read(given_text)
    drawn = _parameters(target)
    whole = Given((*parts.drawn, *drawn), parts.constants)
    recorder = _Recorder(whole)
    recorder.run(target, parts)
    text = "\n".join([*_lines(given_text), *map(_written, (*drawn, *recorder.drawn))]) + "\n"
    pasted = paste(Document(text, "", "\n".join(recorder.lines) + "\n"), cut=cut)
    return compared(
        pasted, read_back(pasted), lambda tensors: _gradients(target, parts, drawn, recorder.drawn, tensors)
    )


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _written(drawn: Drawn) -> str:
    words = [*map(str, drawn.shape), *(f"{key}={value!r}" for key, value in drawn.options.items())]
    return f"{drawn.name} = {drawn.kind}({', '.join(words)})"


def _parameters(target: Callable[..., Any]) -> tuple[Drawn, ...]:
    """Return the parameters of a module as given tensors, named as the module names them."""
    if not isinstance(target, nn.Module):
        return ()
    found = []
    for path, parameter in target.named_parameters():
        options = {"mean": 1.0, "scale": 0.1} if bool((parameter == 1).all()) else {}
        found.append(Drawn(_flat(path), "param", tuple(parameter.shape), options, is_param=True))
    return tuple(found)


def _flat(path: str) -> str:
    return "_".join(part.strip("_") for part in path.split("."))


@dataclass
class _Recorder(TorchFunctionMode):
    given: Given
    lines: list[str] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._names = StepNames([*(each.name for each in self.given.drawn), *self.given.constants])
        self._known: dict[int, Expression] = {}
        self._alive: list[Any] = []

    def run(self, target: Callable[..., Any], parts: Given) -> None:
        """Record one run on sample numbers; the last line is the loss."""
        tensors = self.given.samples()
        for name, value in tensors.items():
            if isinstance(value, Tensor):
                self._knows(value, Name(name))
        arguments = _arguments(
            target, {name: tensors[name] for name in (*parts.constants, *(d.name for d in parts.drawn))}
        )
        if isinstance(target, nn.Module):
            _fill(target, tensors, keep=True)
        with self:
            result = target(**arguments)
            loss = _loss_of(result, tensors)
        if not self.lines or not isinstance(loss, Tensor) or id(loss) not in self._known:
            raise Refused(1, "no call of torch computes the loss", _ADVICE)
        last = self._expression(loss)
        if not isinstance(last, Name) or not self.lines[-1].startswith(f"{last.name} = "):
            self.lines.append(statement("loss", Call("mul", (("input", last), ("other", 1)))))

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Record a call, and make it."""
        kwargs = kwargs or {}
        path = resolve_name(function) or getattr(function, "__name__", "")
        short = path.rpartition(".")[2]
        if short in _VALUES:
            raise Refused(self._line(), "this depends on a tensor's values, so another seed may do otherwise",
                          "Write torch.where(…), or a number.")  # fmt: skip
        if short in _NOISE:
            return self._noise(short, function(*args, **kwargs))
        result = function(*args, **kwargs)
        if not _has_tensor(result) or (short in ("__get__",) and not _getter(path)):
            return result
        if short in _SAME and isinstance(result, Tensor) and result.dtype == args[0].dtype:
            self._knows(result, self._expression(args[0]))
            return result
        self._record(path, args, kwargs, result)
        return result

    def _noise(self, name: str, sample: Tensor) -> Tensor:
        kind, called = _NOISE[name]
        drawn = Drawn(self._names.fresh(called), kind, tuple(sample.shape), {})
        self.drawn.append(drawn)
        self._knows(sample, Name(drawn.name))
        return sample

    def _record(self, path: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> None:
        operation = _operation_of(path)
        if operation is None:
            raise Refused(self._line(), f"{path} is not in the language", _ADVICE)
        call = self._call(operation, args, kwargs)
        if isinstance(result, Tensor):
            self._step(call, result)
            return
        for index, each in enumerate(result):
            if isinstance(each, Tensor):
                self._knows(each, Part(call, index))

    def _step(self, call: Expression, result: Tensor) -> None:
        if not result.requires_grad and self._may_have_gradient(call):
            call = Call("detach", (("input", call),))
        name = self._names.fresh(self._source_name() or "step")
        self.lines.append(statement(name, call))
        self._knows(result, Name(name))

    def _may_have_gradient(self, call: Expression) -> bool:
        return isinstance(call, Call) and call.definition.differentiable and not torch.is_grad_enabled()

    def _call(self, operation: Operation, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
        bound: dict[str, Any] = {}
        for place, parameter in enumerate(operation.parameters):
            rest = args[place:]
            if not rest:
                break
            if parameter == operation.rest:
                bound[parameter] = rest[0] if isinstance(rest[0], tuple | list) else rest
                break
            bound[parameter] = rest[0]
        for spelled, value in kwargs.items():
            parameter = operation.other_names.get(spelled, spelled)
            if parameter in operation.parameters and value is not None:
                bound[parameter] = value
        settled, bound = operation.settled({key: self._expression(value) for key, value in bound.items()})
        return Call(settled.name, tuple(bound.items()))

    def _expression(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            if id(value) in self._known:
                return self._known[id(value)]
            if value.numel() > _ELEMENTS_MAX or value.requires_grad:
                raise Refused(
                    self._line(), "a tensor is read that is not given", "Give it, and pass it as an argument."
                )
            return Call("tensor", (("data", _nested(value.tolist())),))
        if isinstance(value, list | tuple):
            return tuple(self._expression(each) for each in value)
        return value

    def _knows(self, tensor: Tensor, expression: Expression) -> None:
        self._known[id(tensor)] = expression
        self._alive.append(tensor)  # so that no other tensor gets its id

    def _line(self) -> int:
        frame = _source_frame()
        return frame.f_lineno if frame else 1

    def _source_name(self) -> str | None:
        frame = _source_frame()
        if frame is None:
            return None
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        try:
            (node,) = ast.parse(text).body
        except (SyntaxError, ValueError):
            return None
        match node:
            case ast.Return():
                return "out"
            case ast.Assign([ast.Name(name)], _) | ast.AugAssign(ast.Name(name), _, _) | ast.AnnAssign(ast.Name(name)):
                return name
            case ast.Assign([ast.Attribute(_, name)], _):
                return name
        return None


def _source_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe()
    while frame is not None and (frame.f_code.co_filename == _HERE or frame.f_code.co_filename.startswith(_TORCH)):
        if frame.f_code is _Recorder.run.__code__:
            return None  # above it stands who called the recorder
        frame = frame.f_back
    return frame


def _has_tensor(result: Any) -> bool:
    return isinstance(result, Tensor) or (
        isinstance(result, tuple | list) and any(isinstance(x, Tensor) for x in result)
    )


def _getter(path: str) -> str | None:
    return _GETTERS.get(path.split(".")[-2])


def _operation_of(path: str) -> Operation | None:
    """Return the operation of a path as ``torch.overrides`` spells it."""
    *_, holder, name = path.split(".")
    if name == "__get__":
        return OPERATIONS.get(_GETTERS.get(holder, ""))
    plain = {"getitem": "index", "truediv": "div", "rtruediv": "div"}.get(name.strip("_"), name.strip("_"))
    if path.startswith("torch.Tensor."):
        if name.startswith("__i") and plain.startswith("i"):
            plain = {"itruediv": "div"}.get(plain, plain[1:])
        return SPELLINGS.get(f".{plain}") or OPERATIONS.get(plain)
    prefix = "F." if "functional" in path else "torch."
    return SPELLINGS.get(prefix + plain) or SPELLINGS.get(f"torch.{plain}")


def _nested(value: Any) -> Any:
    return tuple(_nested(each) for each in value) if isinstance(value, list) else value


def _arguments(target: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    called = target.forward if isinstance(target, nn.Module) else target
    parameters = inspect.signature(called).parameters
    return {name: values[name] for name in parameters if name in values}


def _fill(model: nn.Module, tensors: Mapping[str, Tensor], *, keep: bool) -> dict[str, Tensor]:
    """Put given numbers in place of a model's parameters; return the parameters by their given names."""
    leaves: dict[str, Tensor] = {}
    for path, parameter in list(model.named_parameters()):
        value = tensors[_flat(path)]
        if keep:
            holder, _, name = path.rpartition(".")
            module = model.get_submodule(holder)
            module._parameters[name] = value  # type: ignore[assignment]  # the recorder knows this very tensor
        else:
            parameter.data = value.clone()
        leaves[_flat(path)] = parameter
    return leaves


def _loss_of(result: Any, tensors: Mapping[str, Any]) -> Any:
    """Return the loss: the result, or its product with a given ``g`` of the same shape, summed."""
    g = tensors.get("g")
    if isinstance(result, tuple):
        result = result[-1]
    if isinstance(result, Tensor) and result.numel() != 1 and isinstance(g, Tensor) and g.shape == result.shape:
        return (result * g).sum()
    return result


def _gradients(
    target: Callable[..., Any],
    parts: Given,
    parameters: tuple[Drawn, ...],
    noise: list[Drawn],
    tensors: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return the loss and gradients that PyTorch finds for the function itself."""
    from author.paste.original import GivenNoise

    leaves = {d.name: tensors[d.name].clone().requires_grad_(d.is_param) for d in (*parts.drawn, *parameters)}
    if isinstance(target, nn.Module):
        _fill(target, leaves, keep=True)
    values = {**parts.constants, **{each.name: leaves[each.name] for each in parts.drawn}}
    with GivenNoise([tensors[each.name] for each in noise]):
        loss = _loss_of(target(**_arguments(target, values)), values)
    torch.autograd.backward(loss.sum())
    return {"loss": loss.detach(), **{name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}}
