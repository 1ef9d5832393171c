"""The operations of the language, each with one inner name, its parameters, and every spelling of it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
import torch.nn.functional as functional
from torch import Tensor


@dataclass(frozen=True)
class Operation:
    """An operation.

    ``parameters`` are the names of its parameters in order, the tensors first; ``defaults`` those that may be left out.
    ``spellings`` are ``torch.f``, ``F.f`` and ``.f`` for a method of a tensor. ``other_names`` maps other spellings of
    parameters to their names here (``axis`` → ``dim``). ``rest`` names the parameter that takes all positional
    arguments that are left, as in ``x.view(2, -1)``. ``symbol`` is the operator of Python. ``differentiable`` is false
    for what has no gradient, such as a comparison. ``keyword_only`` are parameters that are never passed by position.
    """

    name: str
    apply: Callable[..., Any]
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    spellings: tuple[str, ...] = ()
    other_names: Mapping[str, str] = field(default_factory=dict)
    rest: str | None = None
    symbol: str | None = None
    differentiable: bool = True
    keyword_only: frozenset[str] = frozenset()


OPERATIONS: Final[dict[str, Operation]] = {}
SPELLINGS: Final[dict[str, Operation]] = {}
OTHER_NAMES: Final = {"axis": "dim", "keepdims": "keepdim", "x": "input", "self": "input"}


def _add(name: str, signature: str, apply: Callable[..., Any], spellings: str = "", **settings: Any) -> None:
    """Add an operation. In the signature ``dim=None`` has a default, and ``*shape`` takes the rest.

    What stands after a ``*`` alone is passed by keyword only.
    """
    parameters, defaults, rest = [], {}, None
    positional, _, _ = f" {signature} ".partition(" * ")
    for word in signature.replace(" * ", " ").split():
        parameter, has_default, default = word.partition("=")
        if parameter.startswith("*"):
            rest = parameter = parameter[1:]
        if has_default:
            defaults[parameter] = _CONSTANTS.get(default, default)
        parameters.append(parameter)
    keyword_only = frozenset(parameters[len(positional.split()) :])
    found = Operation(
        name,
        apply,
        tuple(parameters),
        defaults,
        tuple(spellings.split()),
        OTHER_NAMES,
        rest,
        keyword_only=keyword_only,
        **settings,
    )
    OPERATIONS[name] = found
    for spelling in found.spellings:
        SPELLINGS[spelling] = found


_CONSTANTS: Final[dict[str, Any]] = {
    "None": None, "False": False, "True": True, "0": 0, "1": 1, "-1": -1, "2": 2, "1e-5": 1e-5, "1.0": 1.0,
}  # fmt: skip


def _binary(name: str, symbol: str, apply: Callable[[Any, Any], Any], spellings: str = "", **settings: Any) -> None:
    _add(name, "input other", apply, spellings, symbol=symbol, **settings)


def _unary(name: str, apply: Callable[[Tensor], Any], *, module: str = "torch", **settings: Any) -> None:
    _add(name, "input", apply, f"{module}.{name} .{name}", **settings)


# Python's own operators: torch computes 1 / x as a reciprocal and a product, and those are the lecture's bits.
_binary("add", "+", operator.add, "torch.add .add")
_binary("sub", "-", operator.sub, "torch.sub .sub torch.subtract")
_binary("mul", "*", operator.mul, "torch.mul .mul torch.multiply")
_binary("div", "/", operator.truediv, "torch.div .div torch.divide")
_binary("pow", "**", operator.pow, "torch.pow .pow")
_binary("matmul", "@", operator.matmul, "torch.matmul .matmul torch.mm .mm torch.bmm .bmm")
_add("neg", "input", operator.neg, "torch.neg .neg", symbol="-")
for _name, _symbol, _apply in (
    ("lt", "<", operator.lt), ("le", "<=", operator.le), ("gt", ">", operator.gt),
    ("ge", ">=", operator.ge), ("eq", "==", operator.eq), ("ne", "!=", operator.ne),
):  # fmt: skip
    _binary(_name, _symbol, _apply, f"torch.{_name} .{_name}", differentiable=False)

_unary("exp", torch.exp)
_unary("log", torch.log)
_unary("sqrt", torch.sqrt)
_unary("rsqrt", torch.rsqrt)
_unary("tanh", torch.tanh)
_unary("abs", torch.abs)
_unary("sin", torch.sin)
_unary("cos", torch.cos)
_add("sigmoid", "input", torch.sigmoid, "torch.sigmoid F.sigmoid .sigmoid")
_add("relu", "input", torch.relu, "torch.relu F.relu .relu")
_add("gelu", "input * approximate=none", functional.gelu, "F.gelu")
_add("clamp", "input min=None max=None", torch.clamp, "torch.clamp .clamp torch.clip .clip")


def _reduced(apply: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
        return apply(input) if dim is None else apply(input, dim, keepdim=keepdim)

    return reduce


_add("sum", "input dim=None keepdim=False", _reduced(torch.sum), "torch.sum .sum")
_add("mean", "input dim=None keepdim=False", _reduced(torch.mean), "torch.mean .mean")
_add("max", "input dim=None keepdim=False", _reduced(torch.max), "torch.max .max")
_add("min", "input dim=None keepdim=False", _reduced(torch.min), "torch.min .min")


def _var(input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False) -> Tensor:
    return torch.var(input, dim, unbiased=unbiased, keepdim=keepdim)


_add("var", "input dim=None unbiased=True keepdim=False", _var, "torch.var .var")
_add("softmax", "input dim", torch.softmax, "torch.softmax F.softmax .softmax")
_add("log_softmax", "input dim", torch.log_softmax, "torch.log_softmax F.log_softmax .log_softmax")
_add("cross_entropy", "input target", functional.cross_entropy, "F.cross_entropy")

_add("index", "input index", lambda input, index: input[index])
_add("view", "input *shape", lambda input, shape: input.view(shape), ".view")
_add("reshape", "input *shape", lambda input, shape: input.reshape(shape), "torch.reshape .reshape")
_add("transpose", "input dim0 dim1", torch.transpose, "torch.transpose .transpose")
_add("t", "input", lambda input: input.T, "torch.t .t")
_add("permute", "input *dims", lambda input, dims: input.permute(dims), "torch.permute .permute")
_add("unsqueeze", "input dim", torch.unsqueeze, "torch.unsqueeze .unsqueeze")
_add("squeeze", "input dim", torch.squeeze, "torch.squeeze .squeeze")
_add("cat", "tensors dim=0", torch.cat, "torch.cat torch.concat")
_add("stack", "tensors dim=0", torch.stack, "torch.stack")
_add("chunk", "input chunks dim=0", torch.chunk, "torch.chunk .chunk")
_add("split", "input split_size dim=0", torch.split, "torch.split .split")
_add("masked_fill", "input mask value", torch.masked_fill, "torch.masked_fill .masked_fill")
_add("where", "condition input other", torch.where, "torch.where")
_add("detach", "input", lambda input: input.detach(), ".detach", differentiable=False)

# Engineer reader: what the forward passes of public code call beside these.

_CONSTANTS.update({"-2": -2, "0.0": 0.0, "0.5": 0.5, "0.01": 0.01, "20.0": 20.0, "1e-12": 1e-12, "1e-8": 1e-8,
                   "-100": -100, "mean": "mean", "3": 3, "1e-6": 1e-6})  # fmt: skip
for _name in ("log2", "log10", "log1p", "expm1", "tan", "sinh", "cosh", "asin", "acos", "atan", "erf", "reciprocal",
              "square", "floor", "ceil", "round", "trunc", "outer", "dot", "mv", "logit"):  # fmt: skip
    if _name not in ("outer", "dot", "mv"):
        _unary(_name, getattr(torch, _name))
for _name in ("sign", "isnan", "isinf", "isfinite", "logical_not"):
    _unary(_name, getattr(torch, _name), differentiable=False)
for _name, _other in (("outer", "vec2"), ("dot", "tensor"), ("mv", "vec"), ("atan2", "other"), ("maximum", "other"),
                      ("minimum", "other"), ("remainder", "other"), ("fmod", "other"), ("kron", "other")):  # fmt: skip
    _add(_name, f"input {_other}", getattr(torch, _name), f"torch.{_name} .{_name}")
for _name in ("logical_and", "logical_or", "logical_xor"):
    _add(_name, "input other", getattr(torch, _name), f"torch.{_name} .{_name}", differentiable=False)
for _name, _symbol, _apply in (("bitwise_and", "&", operator.and_), ("bitwise_or", "|", operator.or_),
                               ("bitwise_xor", "^", operator.xor)):  # fmt: skip
    _binary(_name, _symbol, _apply, f"torch.{_name} .{_name}", differentiable=False)
_binary("floor_divide", "//", operator.floordiv, "torch.floor_divide .floor_divide", differentiable=False)

_add("silu", "input", functional.silu, "F.silu")
_add("mish", "input", functional.mish, "F.mish")
_add("relu6", "input", functional.relu6, "F.relu6")
_add("selu", "input", functional.selu, "F.selu torch.selu")
_add("elu", "input alpha=1.0", functional.elu, "F.elu")
_add("leaky_relu", "input negative_slope=0.01", functional.leaky_relu, "F.leaky_relu")
_add("softplus", "input beta=1 threshold=20.0", functional.softplus, "F.softplus")
_add("logsigmoid", "input", functional.logsigmoid, "F.logsigmoid")
_add("softsign", "input", functional.softsign, "F.softsign")
_add("hardtanh", "input min_val=-1 max_val=1", functional.hardtanh, "F.hardtanh")
_add("hardsigmoid", "input", functional.hardsigmoid, "F.hardsigmoid")
_add("hardswish", "input", functional.hardswish, "F.hardswish")
_add("glu", "input dim=-1", functional.glu, "F.glu")
_add("clamp_min", "input min", torch.clamp_min, "torch.clamp_min .clamp_min")
_add("clamp_max", "input max", torch.clamp_max, "torch.clamp_max .clamp_max")
_add("lerp", "input end weight", torch.lerp, "torch.lerp .lerp")
_add("nan_to_num", "input nan=0.0", torch.nan_to_num, "torch.nan_to_num .nan_to_num")


def _std(input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False) -> Tensor:
    return torch.std(input, dim, unbiased=unbiased, keepdim=keepdim)


def _norm(input: Tensor, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Tensor:
    return torch.norm(input, p, dim, keepdim)


def _vector_norm(input: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Tensor:
    return torch.linalg.vector_norm(input, ord, dim, keepdim)


def _arg(apply: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
        return apply(input) if dim is None else apply(input, dim, keepdim)

    return reduce


_add("std", "input dim=None unbiased=True keepdim=False", _std, "torch.std .std")
_add("norm", "input p=2 dim=None keepdim=False", _norm, "torch.norm .norm")
_add("vector_norm", "input ord=2 dim=None keepdim=False", _vector_norm, "torch.linalg.vector_norm torch.linalg.norm")
_add("logsumexp", "input dim keepdim=False", torch.logsumexp, "torch.logsumexp .logsumexp")
_add("prod", "input dim=None keepdim=False", _reduced(torch.prod), "torch.prod .prod")
_add("amax", "input dim keepdim=False", torch.amax, "torch.amax .amax")
_add("amin", "input dim keepdim=False", torch.amin, "torch.amin .amin")
_add("cumsum", "input dim", torch.cumsum, "torch.cumsum .cumsum")
_add("cumprod", "input dim", torch.cumprod, "torch.cumprod .cumprod")
_add("logcumsumexp", "input dim", torch.logcumsumexp, "torch.logcumsumexp .logcumsumexp")
for _name, _apply in (("argmax", torch.argmax), ("argmin", torch.argmin), ("any", torch.any), ("all", torch.all)):
    _add(_name, "input dim=None keepdim=False", _arg(_apply), f"torch.{_name} .{_name}", differentiable=False)
_add("argsort", "input dim=-1 descending=False", torch.argsort, "torch.argsort .argsort", differentiable=False)
_add("sort", "input dim=-1 descending=False", torch.sort, "torch.sort .sort")
_add("topk", "input k dim=-1 largest=True", torch.topk, "torch.topk .topk")
_add("median", "input dim=None keepdim=False", _reduced(torch.median), "torch.median .median")

_add("linear", "input weight bias=None", functional.linear, "F.linear")
_add("conv1d", "input weight bias=None stride=1 padding=0 dilation=1 groups=1", torch.conv1d, "F.conv1d torch.conv1d")
_add("conv2d", "input weight bias=None stride=1 padding=0 dilation=1 groups=1", torch.conv2d, "F.conv2d torch.conv2d")
_add("conv_transpose1d", "input weight bias=None stride=1 padding=0 output_padding=0", torch.conv_transpose1d,
     "F.conv_transpose1d")  # fmt: skip
_add("conv_transpose2d", "input weight bias=None stride=1 padding=0 output_padding=0", torch.conv_transpose2d,
     "F.conv_transpose2d")  # fmt: skip
for _name in ("max_pool1d", "max_pool2d"):
    _add(_name, "input kernel_size stride=None padding=0", getattr(functional, _name), f"F.{_name}")
for _name in ("avg_pool1d", "avg_pool2d"):
    _add(_name, "input kernel_size stride=None padding=0", getattr(functional, _name), f"F.{_name}")
for _name in ("adaptive_avg_pool1d", "adaptive_avg_pool2d"):
    _add(_name, "input output_size", getattr(functional, _name), f"F.{_name}")
_add("interpolate", "input size=None scale_factor=None mode=nearest", functional.interpolate, "F.interpolate")
_add("pad", "input pad mode=constant value=None", functional.pad, "F.pad")
_add("pixel_shuffle", "input upscale_factor", functional.pixel_shuffle, "F.pixel_shuffle")
_add("pixel_unshuffle", "input downscale_factor", functional.pixel_unshuffle, "F.pixel_unshuffle")
_add("im2col", "input kernel_size dilation=1 padding=0 stride=1", functional.unfold, "F.unfold")
_add("col2im", "input output_size kernel_size dilation=1 padding=0 stride=1", functional.fold, "F.fold")
_add("unfold", "input dimension size step", lambda input, dimension, size, step: input.unfold(dimension, size, step),
     ".unfold")  # fmt: skip
_add("layer_norm", "input normalized_shape weight=None bias=None eps=1e-5", functional.layer_norm, "F.layer_norm")
_add("group_norm", "input num_groups weight=None bias=None eps=1e-5", functional.group_norm, "F.group_norm")
_add("rms_norm", "input normalized_shape weight=None eps=None", functional.rms_norm, "F.rms_norm")


def _instance_norm(input: Tensor, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    return functional.instance_norm(input, weight=weight, bias=bias, eps=eps)


def _batch_norm(
    input: Tensor, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    # Copies: a second play must not see what the first one left in the running statistics.
    mean, var = (each if each is None else each.clone() for each in (running_mean, running_var))
    return functional.batch_norm(input, mean, var, weight, bias, training, momentum, eps)


_add("instance_norm", "input * weight=None bias=None eps=1e-5", _instance_norm, "F.instance_norm")
_add("batch_norm", "input running_mean=None running_var=None weight=None bias=None training=False momentum=None "
     "eps=1e-5", _batch_norm, "F.batch_norm")  # fmt: skip
_add("embedding", "input weight", functional.embedding, "F.embedding")
_add("one_hot", "input num_classes=-1", functional.one_hot, "F.one_hot", differentiable=False)
_add("attention", "query key value attn_mask=None dropout_p=0.0 is_causal=False", functional.scaled_dot_product_attention,
     "F.scaled_dot_product_attention")  # fmt: skip

_REDUCED = "* reduction=mean"
_add("cross_entropy", "input target weight=None * ignore_index=-100 reduction=mean label_smoothing=0.0",
     functional.cross_entropy, "F.cross_entropy")  # fmt: skip
_add("nll_loss", "input target weight=None * ignore_index=-100 reduction=mean", functional.nll_loss, "F.nll_loss")
_add("mse_loss", f"input target {_REDUCED}", functional.mse_loss, "F.mse_loss")
_add("l1_loss", f"input target {_REDUCED}", functional.l1_loss, "F.l1_loss")
_add("smooth_l1_loss", f"input target {_REDUCED} beta=1.0", functional.smooth_l1_loss, "F.smooth_l1_loss")
_add("huber_loss", f"input target {_REDUCED} delta=1.0", functional.huber_loss, "F.huber_loss")
_add("binary_cross_entropy", f"input target weight=None {_REDUCED}", functional.binary_cross_entropy,
     "F.binary_cross_entropy")  # fmt: skip
_add("binary_cross_entropy_with_logits", f"input target weight=None {_REDUCED} pos_weight=None",
     functional.binary_cross_entropy_with_logits, "F.binary_cross_entropy_with_logits")  # fmt: skip
_add("kl_div", f"input target {_REDUCED} log_target=False", functional.kl_div, "F.kl_div")
_add("soft_margin_loss", f"input target {_REDUCED}", functional.soft_margin_loss, "F.soft_margin_loss")
_add("hinge_embedding_loss", f"input target margin=1.0 {_REDUCED}", functional.hinge_embedding_loss,
     "F.hinge_embedding_loss")  # fmt: skip
_add("margin_ranking_loss", f"input1 input2 target margin=0.0 {_REDUCED}", functional.margin_ranking_loss,
     "F.margin_ranking_loss")  # fmt: skip
_add("triplet_margin_loss", f"anchor positive negative margin=1.0 p=2 eps=1e-6 {_REDUCED}",
     functional.triplet_margin_loss, "F.triplet_margin_loss")  # fmt: skip
_add("cosine_embedding_loss", f"input1 input2 target margin=0.0 {_REDUCED}", functional.cosine_embedding_loss,
     "F.cosine_embedding_loss")  # fmt: skip
_add("gaussian_nll_loss", "input target var * full=False eps=1e-6 reduction=mean", functional.gaussian_nll_loss,
     "F.gaussian_nll_loss")  # fmt: skip
_add("poisson_nll_loss", "input target log_input=True * full=False eps=1e-8 reduction=mean",
     functional.poisson_nll_loss, "F.poisson_nll_loss")  # fmt: skip
_add("cosine_similarity", "x1 x2 dim=1 eps=1e-8", functional.cosine_similarity,
     "F.cosine_similarity torch.cosine_similarity")  # fmt: skip
_add("normalize", "input p=2 dim=1 eps=1e-12", functional.normalize, "F.normalize")
_add("pairwise_distance", "x1 x2 p=2 eps=1e-6 keepdim=False", functional.pairwise_distance, "F.pairwise_distance")
_add("cdist", "x1 x2 p=2", torch.cdist, "torch.cdist")

_add("einsum", "equation *operands", lambda equation, operands: torch.einsum(equation, *operands), "torch.einsum")
_add("tensordot", "a b dims=2", torch.tensordot, "torch.tensordot")
_add("addmm", "input mat1 mat2 * beta=1 alpha=1", torch.addmm, "torch.addmm .addmm")
_add("baddbmm", "input batch1 batch2 * beta=1 alpha=1", torch.baddbmm, "torch.baddbmm .baddbmm")
_add("addcmul", "input tensor1 tensor2 * value=1", torch.addcmul, "torch.addcmul .addcmul")
_add("addcdiv", "input tensor1 tensor2 * value=1", torch.addcdiv, "torch.addcdiv .addcdiv")
_add("trace", "input", torch.trace, "torch.trace .trace")
_add("diagonal", "input offset=0 dim1=0 dim2=1", torch.diagonal, "torch.diagonal .diagonal")
_add("diag", "input diagonal=0", torch.diag, "torch.diag .diag")
_add("diag_embed", "input offset=0 dim1=-2 dim2=-1", torch.diag_embed, "torch.diag_embed .diag_embed")
_add("triu", "input diagonal=0", torch.triu, "torch.triu .triu")
_add("tril", "input diagonal=0", torch.tril, "torch.tril .tril")
_add("inverse", "input", torch.linalg.inv, "torch.linalg.inv torch.inverse .inverse")
_add("det", "input", torch.linalg.det, "torch.linalg.det torch.det .det")
_add("logdet", "input", torch.logdet, "torch.logdet .logdet")
_add("slogdet", "input", torch.linalg.slogdet, "torch.linalg.slogdet torch.slogdet .slogdet")
_add("cholesky", "input", torch.linalg.cholesky, "torch.linalg.cholesky")
_add("solve", "A B", torch.linalg.solve, "torch.linalg.solve")
_add("matrix_exp", "input", torch.matrix_exp, "torch.matrix_exp .matrix_exp")
_add("cross", "input other dim=None", torch.cross, "torch.cross .cross torch.linalg.cross")
_add("diff", "input n=1 dim=-1", torch.diff, "torch.diff .diff")

_add("gather", "input dim index", torch.gather, "torch.gather .gather")
_add("scatter", "input dim index src", lambda input, dim, index, src: torch.scatter(input, dim, index, src),
     "torch.scatter .scatter")  # fmt: skip
_add("scatter_add", "input dim index src", torch.scatter_add, "torch.scatter_add .scatter_add")
_add("index_select", "input dim index", torch.index_select, "torch.index_select .index_select")
_add("index_add", "input dim index source", torch.index_add, "torch.index_add .index_add")
_add("index_put", "input indices values", torch.index_put, "torch.index_put .index_put")
_add("take_along_dim", "input indices dim=None", torch.take_along_dim, "torch.take_along_dim .take_along_dim")
_add("select", "input dim index", torch.select, "torch.select .select")
_add("narrow", "input dim start length", torch.narrow, "torch.narrow .narrow")
_add("select_scatter", "input src dim index", torch.select_scatter, "torch.select_scatter .select_scatter")
_add("slice_scatter", "input src dim=0 start=None end=None step=1", torch.slice_scatter,
     "torch.slice_scatter .slice_scatter")  # fmt: skip
_add("roll", "input shifts dims=None", torch.roll, "torch.roll .roll")
_add("flip", "input *dims", torch.flip, "torch.flip .flip")
_add("repeat", "input *repeats", lambda input, repeats: input.repeat(repeats), ".repeat")
_add("tile", "input *dims", torch.tile, "torch.tile .tile")
_add("expand", "input *size", lambda input, size: input.expand(size), ".expand")
_add("broadcast_to", "input size", torch.broadcast_to, "torch.broadcast_to .broadcast_to")
_add("repeat_interleave", "input repeats dim=None", torch.repeat_interleave,
     "torch.repeat_interleave .repeat_interleave")  # fmt: skip
_add("flatten", "input start_dim=0 end_dim=-1", torch.flatten, "torch.flatten .flatten")
_add("unflatten", "input dim sizes", torch.unflatten, "torch.unflatten .unflatten")
_add("movedim", "input source destination", torch.movedim, "torch.movedim .movedim torch.moveaxis .moveaxis")
_add("transpose", "input dim0 dim1", torch.transpose,
     "torch.transpose .transpose torch.swapaxes .swapaxes torch.swapdims .swapdims")  # fmt: skip
_add("squeeze", "input dim=None", lambda input, dim=None: input.squeeze() if dim is None else input.squeeze(dim),
     "torch.squeeze .squeeze")  # fmt: skip
_add("unbind", "input dim=0", torch.unbind, "torch.unbind .unbind")
_add("hstack", "tensors", torch.hstack, "torch.hstack")
_add("vstack", "tensors", torch.vstack, "torch.vstack torch.row_stack")
_add("ravel", "input", torch.ravel, "torch.ravel .ravel")


def _meshgrid(tensors: Any, indexing: str = "ij") -> Any:
    return torch.meshgrid(*tensors, indexing=indexing)


_add("meshgrid", "*tensors indexing=ij", _meshgrid, "torch.meshgrid")
_add("triu_indices", "row col offset=0", torch.triu_indices, "torch.triu_indices", differentiable=False)
_add("tril_indices", "row col offset=0", torch.tril_indices, "torch.tril_indices", differentiable=False)

_add("float", "input", lambda input: input.float(), ".float")
_add("long", "input", lambda input: input.long(), ".long .int", differentiable=False)
_add("bool", "input", lambda input: input.bool(), ".bool", differentiable=False)
_add("zeros", "size * dtype=None", torch.zeros, "torch.zeros", differentiable=False)
_add("ones", "size * dtype=None", torch.ones, "torch.ones", differentiable=False)
_add("full", "size fill_value * dtype=None", torch.full, "torch.full", differentiable=False)
_add("arange", "start end step=1 * dtype=None", torch.arange, "torch.arange", differentiable=False)
_add("linspace", "start end steps", torch.linspace, "torch.linspace", differentiable=False)
_add("eye", "n m=None * dtype=None", lambda n, m=None, dtype=None: torch.eye(n, m or n, dtype=dtype), "torch.eye",
     differentiable=False)  # fmt: skip
_add("tensor", "data * dtype=None", torch.tensor, "torch.tensor", differentiable=False)
