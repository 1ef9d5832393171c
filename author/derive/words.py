"""What an operation does to an entry, in a sentence: the second line of a derivation.

``{x}`` is the tensor that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ENTRYWISE: Final = "{operation} works entry by entry, so its slope at each entry is the factor."

WORDS: Final[dict[str, str]] = {
    "add": "An entry of {x} stands in a sum with the factor 1.",
    "mul": "An entry of {x} is multiplied, so its factor is what stands next to it.",
    "div": "In a quotient a/b the slope for a is 1/b, and for b it is -a/b².",
    "neg": "A minus turns the sign around.",
    "pow": "The derivative of a power p of {x} is p times the power p - 1, entry by entry.",
    "square": "The derivative of a square is twice the entry.",
    "reciprocal": "The derivative of 1/{x} is minus its square.",
    "matmul": "An entry of {x} meets a whole row or column of the other matrix, so the product sums over it.",
    "linear": "A linear layer multiplies rows with weights, so the product sums over what both share.",
    "einsum": "The same letters are summed, with the gradient in the place of {x}.",
    "exp": "The exponential is its own derivative, and its value is there already.",
    "log": "The logarithm works entry by entry, and its derivative is 1 / {x}.",
    "log1p": "The derivative of log(1 + x) is 1 / (1 + x).",
    "sqrt": "The derivative of a root is one over twice the root.",
    "rsqrt": "The derivative of x to the power -1/2 is -1/2 times its third power.",
    "tanh": "The derivative of tanh is 1 less its square, and tanh is there already.",
    "sigmoid": "The derivative of sigmoid is itself times 1 less itself.",
    "relu": "relu lets through what is above 0, and nothing else.",
    "abs": "The slope of the absolute value is the sign.",
    "sin": "The derivative of the sine is the cosine.",
    "cos": "The derivative of the cosine is minus the sine.",
    "clamp": "Inside the bounds the slope is 1, outside it is 0.",
    "gelu": "gelu is x times a share. The slope is the share, plus x times the slope of the share.",
    "silu": "silu is x times its sigmoid: a product, whose two factors both move.",
    "sum": "Each entry counts once in the sum, with the factor 1.",
    "mean": "Each entry counts in the mean with one over their number.",
    "var": "An entry moves the variance by twice its distance from the mean, over the number less the correction.",
    "std": "The root of the variance: one over twice the root, times the slope of the variance.",
    "max": "Only the largest entry reaches the maximum: the factor is 1 there, and 0 elsewhere.",
    "min": "Only the smallest entry reaches the minimum: the factor is 1 there, and 0 elsewhere.",
    "amax": "Only the largest entries reach the maximum, and equal ones share.",
    "amin": "Only the smallest entries reach the minimum, and equal ones share.",
    "maximum": "The larger of two entries gets the gradient; equal ones get half.",
    "minimum": "The smaller of two entries gets the gradient; equal ones get half.",
    "logsumexp": "The slope of a logarithm of a sum of exponentials is the softmax.",
    "norm": "The slope of a length is the direction: {x} over its norm.",
    "prod": "The slope of a product is the product of all other entries.",
    "cumsum": "An entry counts in its own sum and in all after it.",
    "softmax": "An entry moves its own probability up and all others of its row down.",
    "log_softmax": "An entry moves its own logarithm by 1, and all of its row by minus its probability.",
    "cross_entropy": "The slope of the loss of a row is its softmax, less one at the right class.",
    "nll_loss": "Only the entry at the right class counts, with a minus.",
    "mse_loss": "The derivative of a squared difference is twice the difference.",
    "layer_norm": "An entry moves its own output, and through mean and variance its whole row.",
    "batch_norm": "An entry moves its own output, and through mean and variance its whole column.",
    "rms_norm": "An entry moves its own output, and through the root mean square its whole row.",
    "index": "Reading copies entries. Each gets the gradient of the places where it was read.",
    "embedding": "A row is copied to each place that names it, and collects from all of them.",
    "gather": "Reading copies entries. Each gets the gradient of the places where it was read.",
    "index_select": "A row is copied to each place that names it, and collects from all of them.",
    "where": "Only the chosen entries of {x} reach the result.",
    "masked_fill": "What the mask covers is overwritten, so nothing comes back from there.",
    "cat": "Joining only places tensors side by side: the slice that came from {x} comes back.",
    "stack": "Stacking only places tensors side by side: the slice that came from {x} comes back.",
    "chunk": "Splitting only hands out parts: each part's gradient returns to its place.",
    "split": "Splitting only hands out parts: each part's gradient returns to its place.",
    "view": "The entries stay the same, in another shape.",
    "reshape": "The entries stay the same, in another shape.",
    "flatten": "The entries stay the same, in another shape.",
    "unsqueeze": "The entries stay the same, in another shape.",
    "squeeze": "The entries stay the same, in another shape.",
    "transpose": "The entries only change places, and change back.",
    "t": "The entries only change places, and change back.",
    "permute": "The entries only change places, and change back.",
    "expand": "An entry is copied, so it collects from all its copies.",
    "repeat": "An entry is copied, so it collects from all its copies.",
    "pad": "What was added around {x} is constant; the inner part comes back.",
    "tril": "What was set to 0 passes nothing on.",
    "triu": "What was set to 0 passes nothing on.",
    "unfold": "An entry is in several windows, and collects from all of them.",
    "conv1d": "Each window of the input meets the same weights, so a weight collects from all windows.",
    "conv2d": "Each window of the input meets the same weights, so a weight collects from all windows.",
    "copy": "The step is the tensor itself.",
}


TAKEN_AWAY: Final = "An entry of {x} is taken away, so its factor is -1."
PLAIN: Final = frozenset({"add", "neg", "view", "reshape", "unsqueeze", "squeeze", "t", "transpose"})


def words_of(path: Sequence[str], tensor: str, code: str = "") -> list[str]:
    """Return the sentences of the operations between a step and a tensor that it reads.

    What needs no word beside another operation is left out. ``code`` is the term, whose sign tells the two sides of a
    difference.
    """
    telling = [each for each in path if each not in PLAIN] or list(path[-1:])
    return [_sentence(each, tensor, code) for each in dict.fromkeys(telling)]


def _sentence(operation: str, tensor: str, code: str) -> str:
    known = WORDS.get(operation, ENTRYWISE)
    if operation == "sub":
        known = TAKEN_AWAY if code.startswith("-") else WORDS["add"]
    return known.replace("{x}", tensor).replace("{operation}", operation)
