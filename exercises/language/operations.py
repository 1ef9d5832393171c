"""The operations of the language, each with one inner name, its parameters, and every spelling of it.

The names are PyTorch's own. A spelling is ``torch.f``, ``F.f``, or ``.f`` for a method of a tensor; the reader turns
each into a ``Call`` of one operation, whose arguments have one form (``Operation.settled``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
import torch.nn.functional as functional
from torch import Tensor

Arguments = dict[str, Any]


@dataclass(frozen=True, eq=False)  # each is there once
class Operation:
    """An operation.

    ``parameters`` are the names of its parameters in order, the tensors first; ``defaults`` those that may be left out,
    and ``keyword_only`` those that are never passed by position. ``spellings`` are ``torch.f``, ``F.f`` and ``.f`` for
    a method of a tensor. ``other_names`` maps other spellings of parameters to their names here (``axis`` → ``dim``).
    ``rest`` names the parameter that takes all positional arguments that are left, as in ``x.view(2, -1)``. ``symbol``
    is the operator of Python. ``differentiable`` is false for what no gradient goes through, such as a comparison.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    spellings: tuple[str, ...] = ()
    other_names: Mapping[str, str] = field(default_factory=dict)
    rest: str | None = None
    symbol: str | None = None
    differentiable: bool = True
    keyword_only: frozenset[str] = frozenset()

    def apply(self, **arguments: Any) -> Any:
        """Return the result for arguments by the names of the parameters."""
        positional, named = self.sorted(arguments)
        return self.function(*positional, **named)

    def sorted(self, arguments: Mapping[str, Any]) -> tuple[list[Any], Arguments]:
        """Return the arguments to pass by position, until one is left out, and those to pass by name."""
        named, positional = dict(arguments), []
        for parameter in self.parameters:
            if parameter not in named or parameter in self.keyword_only:
                break
            positional.append(named.pop(parameter))
        return positional, named

    def settled(self, arguments: Mapping[str, Any]) -> tuple[Operation, Arguments]:
        """Return the one form of a call: its operation and arguments, in order, without those at their default.

        ``x.var(0, correction=0)`` is ``x.var(0, unbiased=False)``, and ``torch.max(x, y)`` is ``torch.maximum(x, y)``.
        """
        settle = _SETTLE.get(self.name)
        name, arguments = settle(dict(arguments)) if settle else (self.name, arguments)
        operation = OPERATIONS[name]
        return operation, {
            each: arguments[each]
            for each in operation.parameters
            if each in arguments and not operation.is_default(each, arguments[each])
        }

    def is_default(self, parameter: str, value: Any) -> bool:
        """Return whether a value is the default of a parameter. ``False`` is not 0, nor ``1`` ``True``."""
        if parameter not in self.defaults:
            return False
        default = self.defaults[parameter]
        if isinstance(value, bool) or isinstance(default, bool):
            return value is default
        is_plain = value is None or isinstance(value, int | float | str | torch.dtype)
        return is_plain and bool(value == default)


OPERATIONS: Final[dict[str, Operation]] = {}
SPELLINGS: Final[dict[str, Operation]] = {}
OTHER_NAMES: Final = {
    "axis": "dim", "keepdims": "keepdim", "x": "input", "self": "input", "tensor": "input", "exponent": "other",
    "mat1": "input", "mat2": "other", "vec2": "other", "split_size_or_sections": "split_size", "size": "sizes",
}  # fmt: skip

# A row is ``name | parameters | spellings``. ``dim=None`` has a default, ``*shape`` takes the rest, and what stands
# after a ``*`` alone is passed by keyword only. Of the spellings, ``torch``, ``F`` and ``.`` stand for ``torch.name``,
# ``F.name`` and ``.name``. The first one is the function that computes the operation, unless ``_FUNCTIONS`` has it.
_ARITHMETIC: Final = """
    add         | input other | torch .
    sub         | input other | torch . torch.subtract .subtract
    mul         | input other | torch . torch.multiply .multiply
    div         | input other | torch . torch.divide .divide torch.true_divide
    pow         | input other | torch .
    matmul      | input other | torch . torch.mm .mm torch.bmm .bmm torch.mv .mv torch.dot .dot torch.linalg.matmul
    neg         | input       | torch . torch.negative .negative
    maximum     | input other | torch .
    minimum     | input other | torch .
    fmod        | input other | torch .
    remainder   | input other | torch .
    atan2       | input other | torch . torch.arctan2
    hypot       | input other | torch .
    logaddexp   | input other | torch .
    xlogy       | input other | torch . torch.special.xlogy
    lerp        | input end weight | torch .
    addcmul     | input tensor1 tensor2 * value=1 | torch .
    addcdiv     | input tensor1 tensor2 * value=1 | torch .
    where       | condition input other | torch
    masked_fill | input mask value | torch .
    outer       | input vec2 | torch . torch.ger
    inner       | input other | torch .
    addmm       | input mat1 mat2 * beta=1 alpha=1 | torch .
    baddbmm     | input batch1 batch2 * beta=1 alpha=1 | torch .
    tensordot   | a b dims=2 | torch
    kron        | input other | torch .
    cross       | input other dim | torch .
    linalg_cross | input other * dim=-1 | torch.linalg.cross
    einsum      | equation *operands | torch
"""
_ELEMENTWISE: Final = """
    abs         | input | torch . torch.absolute .absolute
    sign        | input | torch . torch.sgn
    square      | input | torch .
    sqrt        | input | torch .
    rsqrt       | input | torch .
    reciprocal  | input | torch .
    exp         | input | torch .
    exp2        | input | torch .
    expm1       | input | torch .
    log         | input | torch .
    log2        | input | torch .
    log10       | input | torch .
    log1p       | input | torch .
    sin         | input | torch .
    cos         | input | torch .
    tan         | input | torch .
    asin        | input | torch . torch.arcsin .arcsin
    acos        | input | torch . torch.arccos .arccos
    atan        | input | torch . torch.arctan .arctan
    sinh        | input | torch .
    cosh        | input | torch .
    tanh        | input | torch . F
    asinh       | input | torch .
    acosh       | input | torch .
    atanh       | input | torch .
    erf         | input | torch . torch.special.erf
    erfc        | input | torch . torch.special.erfc
    lgamma      | input | torch . torch.special.gammaln
    logit       | input eps=None | torch . torch.special.logit
    sinc        | input | torch .
    floor       | input | torch .
    ceil        | input | torch .
    round       | input * decimals=0 | torch .
    trunc       | input | torch . torch.fix
    frac        | input | torch .
    clamp       | input min=None max=None | torch . torch.clip .clip
    clamp_min   | input min | torch .
    clamp_max   | input max | torch .
    nan_to_num  | input nan=None posinf=None neginf=None | torch .
    sigmoid     | input | torch F . torch.special.expit
    relu        | input | torch F .
    relu6       | input | F
    leaky_relu  | input negative_slope=0.01 | F
    prelu       | input weight | F torch .
    elu         | input alpha=1.0 | F
    selu        | input | F torch
    celu        | input alpha=1.0 | F torch
    gelu        | input * approximate=none | F
    silu        | input | F
    mish        | input | F
    softplus    | input beta=1 threshold=20 | F
    logsigmoid  | input | F
    softsign    | input | F
    tanhshrink  | input | F
    softshrink  | input lambd=0.5 | F
    hardshrink  | input lambd=0.5 | F torch .
    threshold   | input threshold value | F torch
    hardtanh    | input min_val=-1.0 max_val=1.0 | F
    hardsigmoid | input | F
    hardswish   | input | F
    glu         | input dim=-1 | F
    float       | input | .
"""
_REDUCTIONS: Final = """
    sum          | input dim=None keepdim=False | torch .
    mean         | input dim=None keepdim=False | torch .
    prod         | input dim=None keepdim=False | torch .
    var          | input dim=None unbiased=True keepdim=False * correction=None | torch .
    std          | input dim=None unbiased=True keepdim=False * correction=None | torch .
    var_mean     | input dim=None unbiased=True keepdim=False * correction=None | torch
    std_mean     | input dim=None unbiased=True keepdim=False * correction=None | torch
    max          | input dim=None keepdim=False * other=None | torch .
    min          | input dim=None keepdim=False * other=None | torch .
    amax         | input dim=None keepdim=False | torch .
    amin         | input dim=None keepdim=False | torch .
    median       | input dim=None keepdim=False | torch .
    logsumexp    | input dim keepdim=False | torch . torch.special.logsumexp
    norm         | input p=2 dim=None keepdim=False | torch .
    vector_norm  | input ord=2 dim=None keepdim=False | torch.linalg.vector_norm
    linalg_norm  | input ord=None dim=None keepdim=False | torch.linalg.norm
    cumsum       | input dim | torch .
    cumprod      | input dim | torch .
    cummax       | input dim | torch .
    cummin       | input dim | torch .
    logcumsumexp | input dim | torch .
    diff         | input n=1 dim=-1 | torch .
    softmax      | input dim | torch F . torch.special.softmax
    softmin      | input dim | F
    log_softmax  | input dim | torch F . torch.special.log_softmax
    normalize    | input p=2.0 dim=1 eps=1e-12 | F
    sort         | input dim=-1 descending=False | torch .
    topk         | input k dim=-1 largest=True sorted=True | torch .
    kthvalue     | input k dim=-1 keepdim=False | torch .
    trace        | input | torch .
    det          | input | torch . torch.linalg.det
    logdet       | input | torch .
    slogdet      | input | torch . torch.linalg.slogdet
    inverse      | input | torch . torch.linalg.inv
"""
_SHAPES: Final = """
    index          | input index |
    view           | input *shape | .
    reshape        | input *shape | torch .
    flatten        | input start_dim=0 end_dim=-1 | torch .
    unflatten      | input dim sizes | torch .
    ravel          | input | torch .
    t              | input | torch .
    transpose      | input dim0 dim1 | torch . torch.swapaxes .swapaxes torch.swapdims .swapdims
    permute        | input *dims | torch .
    movedim        | input source destination | torch . torch.moveaxis .moveaxis
    unsqueeze      | input dim | torch .
    squeeze        | input dim=None | torch .
    expand         | input *sizes | . torch.broadcast_to .broadcast_to
    repeat         | input *repeats | .
    tile           | input *dims | torch .
    repeat_interleave | input repeats dim=None | torch .
    flip           | input *dims | torch .
    fliplr         | input | torch .
    flipud         | input | torch .
    roll           | input shifts dims=None | torch .
    tril           | input diagonal=0 | torch .
    triu           | input diagonal=0 | torch .
    diag           | input diagonal=0 | torch .
    diagonal       | input offset=0 dim1=0 dim2=1 | torch .
    diag_embed     | input offset=0 dim1=-2 dim2=-1 | torch .
    cat            | tensors dim=0 | torch torch.concat torch.concatenate
    stack          | tensors dim=0 | torch
    hstack         | tensors | torch
    vstack         | tensors | torch torch.row_stack
    chunk          | input chunks dim=0 | torch .
    split          | input split_size dim=0 | torch .
    tensor_split   | input indices_or_sections dim=0 | torch .
    unbind         | input dim=0 | torch .
    narrow         | input dim start length | torch .
    select         | input dim index | torch .
    pad            | input pad mode=constant value=None | F
    unfold         | input dimension size step | .
    im2col         | input kernel_size dilation=1 padding=0 stride=1 | F.unfold
    fold           | input output_size kernel_size dilation=1 padding=0 stride=1 | F
    gather         | input dim index | torch .
    take_along_dim | input indices dim=None | torch .
    index_select   | input dim index | torch .
    scatter        | input dim index src | torch .
    scatter_add    | input dim index src | torch .
    index_add      | input dim index source | torch .
    index_put      | input indices values accumulate=False | torch .
    select_scatter | input src dim index | torch .
    slice_scatter  | input src dim=0 start=None end=None step=1 | torch .
    embedding      | input weight padding_idx=None | F
    pixel_shuffle  | input upscale_factor | F torch
    pixel_unshuffle | input downscale_factor | F torch
"""
_LAYERS: Final = """
    linear           | input weight bias=None | F
    bilinear         | input1 input2 weight bias=None | F
    conv1d           | input weight bias=None stride=1 padding=0 dilation=1 groups=1 | F torch
    conv2d           | input weight bias=None stride=1 padding=0 dilation=1 groups=1 | F torch
    conv3d           | input weight bias=None stride=1 padding=0 dilation=1 groups=1 | F torch
    conv_transpose1d | input weight bias=None stride=1 padding=0 output_padding=0 groups=1 dilation=1 | F torch
    conv_transpose2d | input weight bias=None stride=1 padding=0 output_padding=0 groups=1 dilation=1 | F torch
    max_pool1d       | input kernel_size stride=None padding=0 dilation=1 ceil_mode=False | F
    max_pool2d       | input kernel_size stride=None padding=0 dilation=1 ceil_mode=False | F
    avg_pool1d       | input kernel_size stride=None padding=0 ceil_mode=False count_include_pad=True | F
    avg_pool2d       | input kernel_size stride=None padding=0 ceil_mode=False count_include_pad=True | F
    adaptive_avg_pool1d | input output_size | F
    adaptive_avg_pool2d | input output_size | F
    adaptive_max_pool1d | input output_size | F
    adaptive_max_pool2d | input output_size | F
    interpolate      | input size=None scale_factor=None mode=nearest align_corners=None | F
    layer_norm       | input normalized_shape weight=None bias=None eps=1e-05 | F
    rms_norm         | input normalized_shape weight=None eps=None | F
    batch_norm       | input running_mean running_var weight=None bias=None training=False momentum=0.1 eps=1e-05 | F
    group_norm       | input num_groups weight=None bias=None eps=1e-05 | F
    instance_norm    | input * weight=None bias=None eps=1e-05 | F
    scaled_dot_product_attention | query key value attn_mask=None dropout_p=0.0 is_causal=False * scale=None | F
    cosine_similarity | x1 x2 dim=1 eps=1e-08 | F torch
    pairwise_distance | x1 x2 p=2.0 eps=1e-06 keepdim=False | F
    cdist            | x1 x2 p=2.0 | torch
"""
_LOSSES: Final = """
    cross_entropy | input target weight=None * ignore_index=-100 reduction=mean label_smoothing=0.0 | F
    nll_loss      | input target weight=None * ignore_index=-100 reduction=mean | F
    mse_loss      | input target * reduction=mean | F
    l1_loss       | input target * reduction=mean | F
    smooth_l1_loss | input target * reduction=mean beta=1.0 | F
    huber_loss    | input target * reduction=mean delta=1.0 | F
    binary_cross_entropy | input target weight=None * reduction=mean | F
    binary_cross_entropy_with_logits | input target weight=None * reduction=mean pos_weight=None | F
    kl_div        | input target * reduction=mean log_target=False | F
    poisson_nll_loss | input target * log_input=True full=False eps=1e-08 reduction=mean | F
    gaussian_nll_loss | input target var * full=False eps=1e-06 reduction=mean | F
    soft_margin_loss | input target * reduction=mean | F
    hinge_embedding_loss | input target * margin=1.0 reduction=mean | F
    margin_ranking_loss | input1 input2 target * margin=0 reduction=mean | F
    triplet_margin_loss | anchor positive negative margin=1.0 p=2 eps=1e-06 swap=False * reduction=mean | F
    cosine_embedding_loss | input1 input2 target * margin=0 reduction=mean | F
    multi_margin_loss | input target p=1 margin=1.0 weight=None * reduction=mean | F
"""
_WITHOUT_GRADIENT: Final = """
    detach       | input | .
    long         | input | . .int
    bool         | input | .
    lt           | input other | torch . torch.less .less
    le           | input other | torch . torch.less_equal
    gt           | input other | torch . torch.greater .greater
    ge           | input other | torch . torch.greater_equal
    eq           | input other | torch .
    ne           | input other | torch . torch.not_equal
    isnan        | input | torch .
    isinf        | input | torch .
    isfinite     | input | torch .
    logical_and  | input other | torch .
    logical_or   | input other | torch .
    logical_xor  | input other | torch .
    logical_not  | input | torch .
    bitwise_and  | input other | torch .
    bitwise_or   | input other | torch .
    bitwise_xor  | input other | torch .
    bitwise_not  | input | torch .
    floor_divide | input other | torch .
    any          | input dim=None keepdim=False | torch .
    all          | input dim=None keepdim=False | torch .
    count_nonzero | input dim=None | torch .
    argmax       | input dim=None keepdim=False | torch .
    argmin       | input dim=None keepdim=False | torch .
    argsort      | input dim=-1 descending=False | torch .
    bincount     | input weights=None minlength=0 | torch .
    bucketize    | input boundaries * right=False | torch
    searchsorted | sorted_sequence input * right=False | torch
    one_hot      | input num_classes=-1 | F
    zeros        | *size * dtype=None | torch
    ones         | *size * dtype=None | torch
    full         | size fill_value * dtype=None | torch
    eye          | n m=None * dtype=None | torch
    arange       | start end step=1 * dtype=None | torch
    linspace     | start end steps * dtype=None | torch
    tensor       | data * dtype=None | torch
"""
# The second result of these says where the first one stood.
WITH_INDICES: Final = frozenset({"max", "min", "median", "sort", "topk", "kthvalue", "cummax", "cummin"})
_SYMBOLS: Final = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@", "neg": "-",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
    "remainder": "%", "floor_divide": "//", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
    "bitwise_not": "~",
}  # fmt: skip
_CONSTANTS: Final[dict[str, Any]] = {"None": None, "False": False, "True": True}


def _batch_norm(input: Tensor, running_mean: Any, running_var: Any, *rest: Any, **options: Any) -> Tensor:
    # Copies: a second play must not read what the first one left in the running statistics.
    mean, var = (None if each is None else each.clone() for each in (running_mean, running_var))
    return functional.batch_norm(input, mean, var, *rest, **options)


def _stretched(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a loss that stretches its arguments itself, as torch does after it has warned of it."""

    def compute(input: Tensor, target: Tensor, **options: Any) -> Tensor:
        if input.shape != target.shape:
            input, target = torch.broadcast_tensors(input, target)
        return loss(input, target, **options)

    return compute


# torch computes 1 / x as a reciprocal and a product, and those are the lecture's bits: Python's own operators.
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
    "matmul": operator.matmul, "neg": operator.neg, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
    "ge": operator.ge, "eq": operator.eq, "ne": operator.ne, "remainder": operator.mod,
    "floor_divide": operator.floordiv, "bitwise_and": operator.and_, "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor, "bitwise_not": operator.invert, "index": operator.getitem,
    "instance_norm": lambda input, **options: functional.instance_norm(input, None, None, **options),
    "norm": lambda input, p=2, dim=None, keepdim=False: torch.norm(input, p, dim, keepdim),
    "batch_norm": _batch_norm,
    "mse_loss": _stretched(functional.mse_loss), "l1_loss": _stretched(functional.l1_loss),
    "smooth_l1_loss": _stretched(functional.smooth_l1_loss), "huber_loss": _stretched(functional.huber_loss),
    "meshgrid": lambda tensors, indexing="ij": torch.meshgrid(*tensors, indexing=indexing),
}  # fmt: skip


def _add_rows(table: str, *, differentiable: bool = True) -> None:
    for row in filter(None, map(str.strip, table.splitlines())):
        name, signature, spellings = (part.strip() for part in row.split("|"))
        _add(name, signature, [_full_spelling(name, each) for each in spellings.split()], differentiable)


def _full_spelling(name: str, spelling: str) -> str:
    return {"torch": f"torch.{name}", "F": f"F.{name}", ".": f".{name}"}.get(spelling, spelling)


def _add(name: str, signature: str, spellings: list[str], differentiable: bool) -> None:
    parameters, defaults, keyword_only, rest = [], {}, set(), None
    is_keyword_only = False
    for word in signature.split():
        if word == "*":
            is_keyword_only = True
            continue
        parameter, has_default, default = word.removeprefix("*").partition("=")
        parameters.append(parameter)
        if has_default:
            defaults[parameter] = _constant(default)
        if word.startswith("*"):
            rest = parameter
        if is_keyword_only:
            keyword_only.add(parameter)
    operation = Operation(
        name,
        _FUNCTIONS[name] if name in _FUNCTIONS else _function(spellings[0]),
        tuple(parameters),
        defaults,
        tuple(spellings),
        {other: own for other, own in OTHER_NAMES.items() if own in parameters and other not in parameters},
        rest,
        _SYMBOLS.get(name),
        differentiable,
        frozenset(keyword_only),
    )
    OPERATIONS[name] = operation
    SPELLINGS.update(dict.fromkeys(spellings, operation))


def _constant(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _function(spelling: str) -> Callable[..., Any]:
    holder, _, name = spelling.rpartition(".")
    found: Any = {"": Tensor, "torch": torch, "F": functional}.get(holder)
    if found is None:
        found = getattr(torch, holder.removeprefix("torch."))
    function: Callable[..., Any] = getattr(found, name)
    return function


# Engineer reader: what public forward passes call beside these.
_READER: Final = """
    solve        | A B | torch.linalg.solve
    cholesky     | input | torch.linalg.cholesky
    cholesky_solve | input L upper=False | torch .
    matrix_exp   | input | torch torch.linalg.matrix_exp
    dist         | input other p=2 | torch .
"""
_READER_WITHOUT_GRADIENT: Final = """
    meshgrid     | *tensors indexing=ij | torch
    triu_indices | row col offset=0 | torch
    tril_indices | row col offset=0 | torch
"""
for _table in (_ARITHMETIC, _ELEMENTWISE, _REDUCTIONS, _SHAPES, _LAYERS, _LOSSES, _READER):
    _add_rows(_table)
_add_rows(_WITHOUT_GRADIENT + _READER_WITHOUT_GRADIENT, differentiable=False)


def _settle_variance(name: str) -> Callable[[Arguments], tuple[str, Arguments]]:
    def settle(arguments: Arguments) -> tuple[str, Arguments]:
        if arguments.get("correction") in (0, 1):
            arguments["unbiased"] = bool(arguments.pop("correction"))
        return name, arguments

    return settle


def _settle_extremum(name: str, of_two: str) -> Callable[[Arguments], tuple[str, Arguments]]:
    def settle(arguments: Arguments) -> tuple[str, Arguments]:
        other = arguments.get("other", arguments.get("dim"))
        if other is None or isinstance(other, int):
            return name, arguments
        return of_two, {"input": arguments["input"], "other": other}

    return settle


def _settle_norm(arguments: Arguments) -> tuple[str, Arguments]:
    if arguments.get("p") in ("fro", None):
        arguments.pop("p", None)
    return "norm", arguments


def _settle_linalg_norm(arguments: Arguments) -> tuple[str, Arguments]:
    # With a number for ord and no dimension, or two, it is a norm of matrices.
    is_of_vectors = isinstance(arguments.get("dim"), int) or arguments.get("ord") is None
    if not is_of_vectors:
        return "linalg_norm", arguments
    if arguments.get("ord") is None:
        arguments.pop("ord", None)
    return "vector_norm", arguments


def _settle_cross(arguments: Arguments) -> tuple[str, Arguments]:
    return "cross", {"dim": -1, **arguments}


_SETTLE: Final[dict[str, Callable[[Arguments], tuple[str, Arguments]]]] = {
    **{name: _settle_variance(name) for name in ("var", "std", "var_mean", "std_mean")},
    "max": _settle_extremum("max", "maximum"),
    "min": _settle_extremum("min", "minimum"),
    "norm": _settle_norm,
    "linalg_norm": _settle_linalg_norm,
    "linalg_cross": _settle_cross,
}
