"""The numbers of the lecture's network: its parameters, its minibatch, and what the two short exercises start from.

The network is an embedding, a hidden layer with batch normalisation, an output layer and cross-entropy. Its lines in
``full_backward/forward.py`` are the lecture's own, to the last operation. Another spelling of the same mathematics
would have other rounding errors, and the lecture's answers would no longer be exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import torch
from torch import Tensor

from exercises.exercise import Numbers
from exercises.language import reader
from exercises.language.forward import Forward
from exercises.makemore import names
from exercises.tape import Tape, constants


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


@dataclass(frozen=True)
class WithinNetwork:
    """The numbers of an exercise that begins within the network: values of the whole forward pass.

    ``kept`` are the names that it starts from. ``upstream`` are names whose gradient is given with them, under the
    student's variable: ``hpreact`` gives ``dhpreact``.
    """

    network: Makemore
    kept: tuple[str, ...]
    upstream: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Read the names.

        :raises BadNames: their file cannot be used
        """
        self.network.prepare()

    def canonical(self) -> Numbers:
        """Return the values of the lecture's parameters and minibatch."""
        return self._within(self.network.canonical())

    def draw(self, seed: int) -> Numbers:
        """Return the values of other parameters and another minibatch.

        :raises BadNames: the file of names cannot be used
        """
        return self._within(self.network.draw(seed))

    def _within(self, numbers: Numbers) -> Numbers:
        tape = Tape(numbers.tensors)
        _forward().play(tape)
        values = tape.values()
        given = {name: values[name] for name in self.kept}
        if self.upstream:
            torch.autograd.backward(tape.loss)
            gradients = tape.gradients()
            given |= {f"d{name}": gradients[name] for name in self.upstream}
        return Numbers(given, numbers.dataset)


@cache
def _forward() -> Forward:
    """Return the whole forward pass."""
    tensors = MAKEMORE.canonical().tensors
    samples = {
        name: value.clone().requires_grad_() if value.is_floating_point() else value for name, value in tensors.items()
    }
    text = (Path(__file__).parent / "full_backward" / "forward.py").read_text(encoding="utf-8")
    return reader.read(text, samples | constants(tensors))


MAKEMORE = Makemore()
CROSS_ENTROPY = WithinNetwork(MAKEMORE, ("logits", "Yb", "n", "batch_size", "vocab_size"))
BATCH_NORM = WithinNetwork(
    MAKEMORE, ("hprebn", "bngain", "bnbias", "n", "batch_size", "n_hidden"), upstream=("hpreact",)
)
