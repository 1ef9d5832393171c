"""What a student's line makes of an upstream gradient of another shape.

Students' lines broadcast. A gradient that is too large along one axis goes on through them element by element.
"""

from __future__ import annotations

import torch
from torch import Tensor

from exercises.tape import Step
from grader.compare import BROADCAST_ELEMENTS_MAX
from grader.reference.backward import back, go_back
from grader.rounding.closeness import broadcast_shape


def back_by_element(step: Step, read: str, upstream: Tensor) -> Tensor | None:
    """Return the result of a student's line for an upstream gradient that is too large along one axis.

    ``counts_sum`` is [32, 1]; a student who forgot the sum has [32, 27], and multiplies on, element by element. Each
    slice of it is a proper upstream gradient. So this goes back through the step once for each slice, and keeps of each
    result the elements that the multiplication would give.

    None unless exactly one axis is larger, or if the slices are too many.
    """
    proper, odd = step.output.shape, upstream.shape
    common = broadcast_shape(odd, proper)
    if common is None or len(common) != len(proper):
        return None
    larger = [axis for axis, length in enumerate(common) if length != proper[axis]]
    if len(larger) != 1:
        return None
    axis = larger[0]
    slices = upstream.expand(common).movedim(axis, 0).unsqueeze(axis + 1)
    target = step.reads[read]
    if slices.shape[0] * max(target.numel(), step.output.numel()) > BROADCAST_ELEMENTS_MAX:
        return None
    terms = torch.func.vmap(lambda upstream: go_back([step.output], [target], [upstream])[0])(slices)
    if target.dim() != len(common):
        return None
    if target.shape[axis] == terms.shape[0]:
        return terms.diagonal(dim1=0, dim2=axis + 1).movedim(-1, axis)
    return terms.movedim(0, axis).squeeze(axis + 1) if target.shape[axis] == 1 else None


def terms_of_odd_shape(step: Step, read: str, upstream: Tensor) -> list[Tensor]:
    """Return the terms that a student's line may give for an upstream gradient of another shape."""
    shape = step.output.shape
    reshaped = [back(step, upstream.reshape(shape))[read]] if upstream.numel() == shape.numel() else []
    by_element = back_by_element(step, read, upstream)
    return reshaped if by_element is None else [*reshaped, by_element]
