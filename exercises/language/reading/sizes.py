"""How large the result of an operation can be, told from its arguments before it is computed.

Most operations give no more elements than their arguments broadcast to. Those that can give more are in ``_GROWING``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from torch import Tensor

Values = Mapping[str, Any]


def elements_bound(operation: str, values: Values) -> float:
    """Return a number that the elements of a result do not exceed."""
    growing = _GROWING.get(operation)
    return growing(values) if growing else _broadcast(values)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)


def _broadcast(values: Values) -> float:
    shapes = [each.shape[::-1] for each in _tensors(tuple(values.values()))]
    return math.prod(max(sizes) for sizes in zip_longest(*shapes, fillvalue=1))


def _added(values: Values) -> float:
    return sum(each.numel() for each in _tensors(tuple(values.values())))


def _multiplied(values: Values) -> float:
    """Return the product of the elements of all tensors, and of all numbers that could be sizes."""
    return math.prod(max(1, each.numel()) for each in _tensors(tuple(values.values()))) * _numbers(values)


def _numbers(values: Values) -> float:
    return math.prod(_size_of(value) for value in values.values())


def _size_of(value: Any) -> float:
    match value:
        case bool():
            return 1
        case int():
            return max(1, abs(value))
        case tuple() | list():
            return math.prod(_size_of(each) for each in value)
    return 1


def _first_times_numbers(values: Values) -> float:
    first = next(_tensors(tuple(values.values())), None)
    return (first.numel() if first is not None else 1) * _numbers(values)


def _matmul(values: Values) -> float:
    left, right = list(_tensors(tuple(values.values())))[-2:]
    if left.dim() < 2 or right.dim() < 2:
        return max(left.numel(), right.numel())
    batch = math.prod(max(sizes) for sizes in zip_longest(left.shape[:-2][::-1], right.shape[:-2][::-1], fillvalue=1))
    return batch * left.shape[-2] * right.shape[-1]


def _linear(values: Values) -> float:
    value, weight = values["input"], values["weight"]
    return value.numel() / max(1, value.shape[-1]) * weight.shape[0] if value.dim() else weight.numel()  # type: ignore[no-any-return]


def _convolution(values: Values) -> float:
    value, weight = values["input"], values["weight"]
    dims = weight.dim() - 2
    padding = values.get("padding", 0)
    pads = [padding] * dims if isinstance(padding, int) else list(padding) if isinstance(padding, tuple | list) else []
    spatial = [size + 2 * pad for size, pad in zip_longest(value.shape[-dims:], pads, fillvalue=0)]
    return max(1, value.shape[0]) * max(weight.shape[:2]) * math.prod(spatial)  # type: ignore[no-any-return]


def _transposed(values: Values) -> float:
    steps = _size_of(values.get("stride", 1)) ** (1 if isinstance(values.get("stride", 1), tuple | list) else 2)
    extra = 1 + _size_of(values.get("output_padding", 0)) + _size_of(values.get("dilation", 1))
    return values["input"].numel() * values["weight"].numel() * steps * extra  # type: ignore[no-any-return]


def _einsum(values: Values) -> float:
    """Return the product of the sizes of all letters: pairs of operands may be as large as that in between."""
    sizes: dict[str, int] = {}
    terms = values["equation"].replace(" ", "").partition("->")[0].split(",")
    for term, operand in zip(terms, values["operands"], strict=False):
        letters = term.replace(".", "")
        for letter, size in zip(reversed(letters), reversed(operand.shape), strict=False):
            sizes[letter] = max(size, sizes.get(letter, 1))
        if "." in term:
            sizes["..."] = max(operand.numel(), sizes.get("...", 1))
    result = values["equation"].replace(" ", "").partition("->")
    letters = result[2] if result[1] else "".join(each for each in sizes if result[0].count(each) == 1)
    kept = math.prod(size for letter, size in sizes.items() if letter in letters)
    return max(kept, math.prod(sizes.values()) / 64)  # a product in between is not kept


def _interpolate(values: Values) -> float:
    if (scale := values.get("scale_factor")) is None:
        return _first_times_numbers(values)
    scales = scale if isinstance(scale, tuple | list) else [scale] * (values["input"].dim() - 2)
    return values["input"].numel() * math.prod(max(1.0, float(each)) for each in scales)  # type: ignore[no-any-return]


def _indexed(values: Values) -> float:
    value, index = next(_tensors(values["input"])), values["index"]
    indices = list(_tensors(index if isinstance(index, tuple | list) else (index,)))
    lists = [
        each for each in (index if isinstance(index, tuple) else (index,)) if isinstance(each, range | tuple | list)
    ]
    if not indices and not lists:
        return value.numel()
    rows = math.prod([*(max(1, each.numel()) for each in indices), *(max(1, len(each)) for each in lists)])
    return rows * value.numel()


def _classes(values: Values) -> float:
    """Return how many numbers there are up to the largest value of a tensor."""
    value = values["input"]
    return max(1.0, float(value.max()) + 1 if value.numel() else 0.0)


def _one_hot(values: Values) -> float:
    return float(max(_classes(values), values.get("num_classes", -1)) * values["input"].numel())


def _bincount(values: Values) -> float:
    return float(max(_classes(values), values.get("minlength", 0)))


def _repeated(values: Values) -> float:
    value, repeats = values["input"], values["repeats"]
    if not isinstance(repeats, Tensor):
        return float(value.numel() * max(1, abs(repeats)))
    return float(value.numel() / max(1, repeats.numel()) * max(1.0, float(repeats.abs().sum())))


def _pieces(values: Values) -> float:
    """Return the number of pieces, of which each is a tensor however small it is."""
    pieces = values["indices_or_sections"]
    return float(values["input"].numel() + (pieces if isinstance(pieces, int) else len(pieces)) * 1_000)


def _attention(values: Values) -> float:
    query, key = values["query"], values["key"]
    return max(query.numel() / query.shape[-1] * key.shape[-2], float(query.numel()))  # type: ignore[no-any-return]


_GROWING: Final[dict[str, Callable[[Values], float]]] = {
    **dict.fromkeys(("cat", "stack", "hstack", "vstack"), _added),
    **dict.fromkeys(("matmul", "addmm", "baddbmm"), _matmul),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d"), _transposed),
    **dict.fromkeys(
        ("outer", "kron", "tensordot", "cdist", "bilinear", "inner", "diag", "diag_embed", "index_select", "embedding",
         "take_along_dim", "meshgrid", "matrix_exp"), _multiplied),
    **dict.fromkeys(
        ("repeat", "tile", "expand", "pad", "im2col", "fold", "unfold", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
         "adaptive_max_pool1d", "adaptive_max_pool2d", "zeros", "ones", "full", "eye", "linspace", "arange",
         "triu_indices", "tril_indices"), _first_times_numbers),
    "one_hot": _one_hot, "bincount": _bincount, "repeat_interleave": _repeated, "tensor_split": _pieces,
    "linear": _linear, "einsum": _einsum, "interpolate": _interpolate, "index": _indexed,
    "scaled_dot_product_attention": _attention,
}  # fmt: skip
