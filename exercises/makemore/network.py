"""The lecture's network: embedding, hidden layer with batch normalisation, output layer, cross-entropy.

Each piece of the forward pass is a function of a tape, and an exercise plays the pieces that it needs. The lines are
the lecture's own, to the last operation. Another spelling of the same mathematics would have other rounding errors,
and the lecture's answers would no longer be exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from exercises.exercise import Numbers
from exercises.makemore import names
from exercises.tape import Tape


def embedding(t: Tape) -> None:
    """Look up a vector for each character: ``emb`` (32, 3, 10), ``embcat`` (32, 30)."""
    t.emb = t.C[t.Xb]  # a vector for each character of the context
    t.embcat = t.emb.view(t.emb.shape[0], -1)  # the vectors of a context side by side


def linear_1(t: Tape) -> None:
    """Compute ``hprebn`` (32, 64), the pre-activation of the hidden layer."""
    t.hprebn = t.embcat @ t.W1 + t.b1  # pre-activation of the hidden layer


def batch_norm(t: Tape) -> None:
    """Normalise over the minibatch, the variance with Bessel's correction: ``hpreact`` (32, 64)."""
    t.bnmeani = 1 / t.n * t.hprebn.sum(0, keepdim=True)
    t.bndiff = t.hprebn - t.bnmeani
    t.bndiff2 = t.bndiff**2
    t.bnvar = 1 / (t.n - 1) * (t.bndiff2).sum(0, keepdim=True)  # Bessel's correction: n-1, not n
    t.bnvar_inv = (t.bnvar + 1e-5) ** -0.5
    t.bnraw = t.bndiff * t.bnvar_inv
    t.hpreact = t.bngain * t.bnraw + t.bnbias


def activation(t: Tape) -> None:
    """Compute ``h`` (32, 64), the hidden layer."""
    t.h = torch.tanh(t.hpreact)


def linear_2(t: Tape) -> None:
    """Compute ``logits`` (32, 27), a score for each next character."""
    t.logits = t.h @ t.W2 + t.b2


def cross_entropy(t: Tape) -> None:
    """Compute ``loss``, the mean of the negative log-probabilities of the targets."""
    t.logit_maxes = t.logits.max(1, keepdim=True).values
    t.norm_logits = t.logits - t.logit_maxes  # the largest is 0, so that exp cannot overflow
    t.counts = t.norm_logits.exp()
    t.counts_sum = t.counts.sum(1, keepdim=True)
    t.counts_sum_inv = t.counts_sum**-1
    t.probs = t.counts * t.counts_sum_inv
    t.logprobs = t.probs.log()
    t.loss = -t.logprobs[range(t.n), t.Yb].mean()


LECTURE = "https://www.youtube.com/watch?v=q8SA3rM6ckI"
FORWARD = (embedding, linear_1, batch_norm, activation, linear_2, cross_entropy)


@dataclass(frozen=True)
class Makemore:
    """Draw parameters and minibatches in the lecture's order.

    ``names_file`` is a list of names, or None for the one that ``names.load`` chooses. It is read at the first draw.
    """

    names_file: Path | None = None
    block_size: int = names.BLOCK_SIZE
    vocab_size: int = names.VOCAB_SIZE
    n_embd: int = 10
    n_hidden: int = 64
    batch_size: int = 32
    seed: int = 2147483647

    @cached_property
    def _names(self) -> names.Names:
        return names.load(self.names_file)

    def prepare(self) -> None:
        """Read the names.

        :raises BadNames: their file cannot be used
        """
        _ = self._names

    def canonical(self) -> Numbers:
        """Return the lecture's 4,137 parameters and its minibatch, which is bundled and needs no names."""
        contexts, targets = names.canonical_minibatch()
        parameters = self._parameters(torch.Generator().manual_seed(self.seed))
        parameters |= self._batch_norm_parameters(self.seed)
        return Numbers(parameters | self._minibatch(contexts, targets), names.LECTURE_DIGEST)

    def draw(self, seed: int) -> Numbers:
        """Return parameters and a minibatch of the training split.

        :raises BadNames: the file of names cannot be used
        """
        generator = torch.Generator().manual_seed(seed)
        parameters = self._parameters(generator)
        parameters |= self._batch_norm_parameters(seed)
        contexts, targets = self._names.training
        rows = torch.randint(0, len(targets), (self.batch_size,), generator=generator)
        return Numbers(parameters | self._minibatch(contexts[rows], targets[rows]), self._names.digest)

    def _parameters(self, generator: torch.Generator) -> dict[str, Tensor]:
        # In the lecture's order, and scaled as there, so that no gradient is trivially zero.
        fan_in = self.n_embd * self.block_size
        return {
            "C": torch.randn((self.vocab_size, self.n_embd), generator=generator),
            "W1": torch.randn((fan_in, self.n_hidden), generator=generator) * (5 / 3) / (fan_in**0.5),
            "b1": torch.randn(self.n_hidden, generator=generator) * 0.1,
            "W2": torch.randn((self.n_hidden, self.vocab_size), generator=generator) * 0.1,
            "b2": torch.randn(self.vocab_size, generator=generator) * 0.1,
        }

    def _batch_norm_parameters(self, seed: int) -> dict[str, Tensor]:
        # The lecture draws these unseeded. With a generator of their own, all other numbers stay the lecture's.
        generator = torch.Generator().manual_seed((seed + 1) % 2**63)
        return {
            "bngain": torch.randn((1, self.n_hidden), generator=generator) * 0.1 + 1.0,
            "bnbias": torch.randn((1, self.n_hidden), generator=generator) * 0.1,
        }

    def _minibatch(self, contexts: Tensor, targets: Tensor) -> dict[str, Tensor]:
        constants = {
            "n": self.batch_size,
            "batch_size": self.batch_size,
            "block_size": self.block_size,
            "vocab_size": self.vocab_size,
            "n_embd": self.n_embd,
            "n_hidden": self.n_hidden,
        }
        return {"Xb": contexts, "Yb": targets} | {name: torch.tensor(value) for name, value in constants.items()}


MAKEMORE = Makemore()
