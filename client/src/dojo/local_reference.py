"""The right gradients on this machine, for the student's own use: the server stays the judge.

The forward pass is part of the exercise, and the state is handed out, so autograd tells nothing that is secret. Its
text comes from a server. So it is no program here: only assignments of arithmetic and of known functions of torch are
played, and everything else is refused.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dojo import tensors
from dojo.api.responses import Checkpoint, Comparison, Grade
from dojo.errors import DojoError
from dojo.files.workspace import Workspace
from dojo.tensors import NotATensor

if TYPE_CHECKING:
    from torch import Tensor

ENVIRONMENT = "this machine"
PLAYED_CHARACTERS_MAX = 64 * 1024
POWER_MAX = 16
FUNCTIONS = ("range", "float")
MODULES = ("torch", "F", *FUNCTIONS)
# What may stand behind a dot: the operations of the language, and what the lecture's lines have. None of them reads a
# file, runs a text or leads to something that does.
ATTRIBUTES = frozenset(
    """
    abs absolute acos acosh adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d add
    addcdiv addcmul addmm all amax amin any arange arccos arcsin arctan arctan2 argmax argmin argsort asin asinh
    atan atan2 atanh avg_pool1d avg_pool2d baddbmm batch_norm bilinear binary_cross_entropy
    binary_cross_entropy_with_logits bincount bitwise_and bitwise_not bitwise_or bitwise_xor bmm bool broadcast_to
    bucketize cat cdist ceil celu cholesky cholesky_solve chunk clamp clamp_max clamp_min clip clone concat
    concatenate contiguous conv1d conv2d conv3d conv_transpose1d conv_transpose2d cos cosh cosine_embedding_loss
    cosine_similarity count_nonzero cross cross_entropy cummax cummin cumprod cumsum det detach diag diag_embed
    diagonal diff dim dist div divide dot double dtype einsum elu embedding eq erf erfc exp exp2 expand expand_as
    expit expm1 eye fix
    flatten flip fliplr flipud float floor floor_divide fmod fold frac full gammaln gather gaussian_nll_loss ge gelu
    ger glu greater greater_equal group_norm gt hardshrink hardsigmoid hardswish hardtanh hinge_embedding_loss
    hstack huber_loss hypot index_add index_put index_select indices inner instance_norm int interpolate inv inverse
    isfinite isinf isnan kl_div kron kthvalue l1_loss layer_norm le leaky_relu lerp less less_equal lgamma linalg
    linear linspace log log10 log1p log2 log_softmax logaddexp logcumsumexp logdet logical_and logical_not
    logical_or logical_xor logit logsigmoid logsumexp long lt margin_ranking_loss masked_fill matmul matrix_exp max
    max_pool1d max_pool2d maximum mean median meshgrid mH min minimum mish mm moveaxis movedim mse_loss mT mul
    multi_margin_loss multiply mv nan_to_num narrow ne neg negative new_zeros nll_loss norm normalize not_equal
    one_hot ones ones_like outer pad pairwise_distance permute pixel_shuffle pixel_unshuffle poisson_nll_loss pow
    prelu prod ravel reciprocal relu relu6 remainder repeat repeat_interleave reshape rms_norm roll round row_stack
    rsqrt scaled_dot_product_attention scatter scatter_add searchsorted select select_scatter selu sgn shape sigmoid
    sign silu sin sinc sinh size slice_scatter slogdet smooth_l1_loss soft_margin_loss softmax softmin softplus
    softshrink softsign solve sort special split sqrt square squeeze stack std std_mean sub subtract sum swapaxes
    swapdims T t take_along_dim tan tanh tanhshrink tensor tensor_split tensordot threshold tile topk trace
    transpose tril tril_indices triplet_margin_loss triu triu_indices true_divide trunc type_as unbind unflatten
    unfold unsqueeze values var var_mean vector_norm view view_as vstack where xlogy zeros zeros_like
    """.split()
)
_EXPRESSIONS = (
    *(ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice),
    *(ast.Name, ast.Constant, ast.Tuple, ast.List, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop),
)


class NoLocalReference(DojoError):
    """The forward pass cannot be played here."""


class LocalReference:
    """The gradients of one exercise by autograd. They are computed when they are first asked for."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._gradients: dict[str, Tensor] | None = None

    def compare(self, checkpoint: Checkpoint, value: Tensor | None) -> Comparison:
        """Compare one gradient, as the lecture's ``cmp`` does.

        :raises NoLocalReference: the forward pass cannot be played here
        """
        if self._gradients is None:
            names = [each.name for each in self._workspace.checkpoints]
            state = tensors.load(self._workspace.state())
            self._gradients = gradients(self._workspace.forward, state, names)
        return compare(checkpoint.name, value, self._gradients[checkpoint.name])

    def grade(self, checkpoints: Sequence[Checkpoint], answers: Mapping[str, Tensor]) -> Grade:
        """Compare all answers, which are named as the student's variables.

        :raises NoLocalReference: the forward pass cannot be played here
        """
        rows = tuple(self.compare(each, answers.get(each.variable)) for each in checkpoints)
        return Grade(rows, (), None, "", "", ENVIRONMENT)


def gradients(forward: str, state: Mapping[str, Any], names: Iterable[str]) -> dict[str, Tensor]:
    """Return the gradient of ``loss`` at each name, by autograd on a forward pass.

    ``state`` holds what the first line needs, and may hold more: what the forward pass makes is made anew.

    :raises NoLocalReference: the text is no forward pass, or does not make these names
    """
    statements = checked_statements(forward, state)
    import torch
    import torch.nn.functional as functional

    values = {
        name: value.detach().requires_grad_(value.is_floating_point()) if isinstance(value, torch.Tensor) else value
        for name, value in state.items()
    }
    namespace = values | {"torch": torch, "F": functional, "range": range, "float": float, "__builtins__": {}}
    try:
        with torch.enable_grad():
            for statement in statements:
                exec(compile(ast.Module([statement], []), "the forward pass", "exec"), namespace)
                for name in _targets(statement):
                    if isinstance(namespace[name], torch.Tensor) and namespace[name].requires_grad:
                        namespace[name].retain_grad()
            namespace["loss"].backward()
        return {name: _gradient(namespace[name]) for name in names}
    except DojoError:
        raise
    except Exception as error:  # whatever a text that is no forward pass may raise
        raise _not_played(f"it ends with {type(error).__name__}") from error


def _gradient(value: Tensor) -> Tensor:
    if value.grad is None:
        raise _not_played("a step does not lead to the loss")
    return value.grad


def checked_statements(forward: str, given: Iterable[str]) -> list[ast.stmt]:
    """Return the assignments of a forward pass.

    :raises NoLocalReference: it holds something that is not played here
    """
    if not forward or len(forward) > PLAYED_CHARACTERS_MAX:
        raise _not_played("it is not in this folder")
    try:
        statements = ast.parse(forward).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _not_played("it is no Python") from error
    names = {*given, *MODULES}
    for statement in statements:
        targets = _targets(statement)
        if not targets or not isinstance(statement, ast.Assign) or not set(MODULES).isdisjoint(targets):
            raise _not_played(f"line {statement.lineno} is no assignment")
        for node in ast.walk(statement.value):
            if not _is_played(node, names):
                line = getattr(node, "lineno", statement.lineno)
                raise _not_played(f"line {line} holds what is not known here")
        names.update(targets)
    return statements


def _targets(statement: ast.stmt) -> list[str]:
    """Return the names that an assignment such as ``a = …`` or ``a, b = …`` makes; none for anything else."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return []
    target = statement.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    names = [part.id for part in parts if isinstance(part, ast.Name) and not part.id.startswith("_")]
    return names if len(names) == len(parts) else []


def _is_played(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names and not node.id.startswith("_")
    if isinstance(node, ast.Attribute):
        return node.attr in ATTRIBUTES
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) or (isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS)
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, bytes)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _is_small_constant(node.right) or _is_float(node.left)
    return isinstance(node, _EXPRESSIONS)


def _is_small_constant(node: ast.expr) -> bool:
    """Return whether a power is one that a forward pass has, not one that computes for hours."""
    value = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float) and abs(value.value) <= POWER_MAX


def _is_float(node: ast.expr) -> bool:
    """Return whether a number is no whole one: any power of it is found at once."""
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _not_played(reason: str) -> NoLocalReference:
    return NoLocalReference(
        f"The forward pass cannot be played on this machine: {reason}.", "Compare again when the server is there."
    )


def compare(name: str, value: Tensor | None, right: Tensor) -> Comparison:
    """Return one row of ``cmp``.

    The verdict ``rounding`` and the origin of a mistake are the server's to say.
    """
    if value is None:
        return Comparison(name, "missing")
    try:
        answer = tensors.plain(name, value)
    except NotATensor as error:
        return Comparison(name, "dtype", notes=(str(error),))
    if not answer.is_floating_point():
        return Comparison(name, "dtype", notes=(f"{answer.dtype} cannot hold a gradient; use float32.",))
    import torch

    answer = answer.to(right.dtype)
    try:
        difference = (answer - right).abs().max().item()
    except RuntimeError:  # the shapes do not broadcast, or there is no element
        shapes = f"The shape {list(answer.shape)} does not fit {list(right.shape)}."
        return Comparison(name, "shape", notes=(shapes,))
    exact = bool(torch.all(answer == right))
    approximate = torch.allclose(*torch.broadcast_tensors(answer, right))
    if not math.isfinite(difference):
        return Comparison(name, "not_finite", origin="unknown", notes=("It holds NaN or infinite numbers.",))
    if exact or approximate:
        return Comparison(name, "exact" if exact else "approximate", exact, approximate, difference)
    return Comparison(name, "wrong", maxdiff=difference, origin="unknown")
