"""The numbers of the last exercise, and the training of its network on the trusted side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from exercises.makemore import names
from exercises.makemore.network import Makemore
from exercises.training import Losses, Measured, Parameters, Split

PARAMETERS: Final = ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")  # in the lecture's order
DRAWN_STEPS: Final = 1024  # whose minibatches come from one generator
DRAWINGS_KEPT: Final = 8  # of 1,024 steps each, for the runs of a moment
PROBE_EXAMPLES: Final = 2048
BLOCK_EXAMPLES: Final = 8192  # of a split at once: all of the training split would take 685 MiB
TRIES_PER_NAME: Final = 10
NAME_LENGTH_MAX: Final = 30  # an untrained network need not end a name
EPSILON: Final = 1e-5  # of the lecture's batch normalisation


@dataclass(frozen=True)
class TrainingNumbers(Makemore):
    """Draw the wider network of the lecture's last cell, and train it."""

    n_hidden: int = 200

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, in the lecture's order."""
        return PARAMETERS

    @property
    def dataset(self) -> str:
        """The SHA-256 of the list of names.

        :raises BadNames: its file cannot be used
        """
        return self._names.digest

    @cached_property
    def _dev(self) -> tuple[Tensor, Tensor]:
        return names.examples(names.split(self._names.words)[1])

    def _examples(self, split: Split) -> tuple[Tensor, Tensor]:
        return self._names.training if split is Split.TRAIN else self._dev

    def start(self, seed: int) -> dict[str, Tensor]:
        """Return the parameters that a run of a seed starts from."""
        drawn = self._parameters(torch.Generator().manual_seed(seed)) | self._batch_norm_parameters(seed)
        return {name: drawn[name] for name in PARAMETERS}

    def constants(self, batch: int) -> dict[str, Tensor]:
        """Return the constants of a forward state with a minibatch of this size."""
        figures = {
            "n": batch,
            "batch_size": batch,
            "block_size": self.block_size,
            "vocab_size": self.vocab_size,
            "n_embd": self.n_embd,
            "n_hidden": self.n_hidden,
        }
        return {name: torch.tensor(figure) for name, figure in figures.items()}

    def minibatches(self, seed: int, first: int, count: int, batch: int) -> tuple[Tensor, Tensor]:
        """Return contexts ``(count, batch, 3)`` and targets ``(count, batch)`` of the steps from ``first`` on.

        Those of a step depend on the seed and on its number alone.
        """
        contexts, targets = self._names.training
        last = first + count - 1
        drawn = [
            _drawn_rows(seed, block, batch, len(targets))
            for block in range(first // DRAWN_STEPS, last // DRAWN_STEPS + 1)
        ]
        begin = first % DRAWN_STEPS
        rows = torch.cat(drawn)[begin : begin + count]
        return contexts[rows], targets[rows]

    def gradients(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return parameter → right gradient on a forward state, by the formulas and not by a graph.

        ``tests/exercises/makemore/test_train.py`` compares them with PyTorch's own.
        """
        n = state["Yb"].shape[0]
        h, bnraw = state["h"], state["bnraw"]
        dlogits = F.softmax(state["logits"], 1)
        dlogits[torch.arange(n), state["Yb"]] -= 1
        dlogits /= n
        dhpreact = (1 - h * h) * (dlogits @ state["W2"].T)
        dbngain = (dhpreact * bnraw).sum(0, keepdim=True)
        dbnbias = dhpreact.sum(0, keepdim=True)
        scale = state["bngain"] * state["bnvar_inv"] / n
        dhprebn = scale * (n * dhpreact - dbnbias - n / (n - 1) * bnraw * dbngain)
        demb = (dhprebn @ state["W1"].T).view(-1, state["C"].shape[1])
        return {
            "C": torch.zeros_like(state["C"]).index_add_(0, state["Xb"].view(-1), demb),
            "W1": state["embcat"].T @ dhprebn,
            "b1": dhprebn.sum(0),
            "W2": h.T @ dlogits,
            "b2": dlogits.sum(0),
            "bngain": dbngain,
            "bnbias": dbnbias,
        }

    def probe(self, parameters: Parameters) -> float:
        """Return the loss on a fixed part of the dev split, normalised by its own mean and variance."""
        contexts, targets = self._probed
        hidden = _before_norm(parameters, contexts)
        mean, variance = hidden.mean(0, keepdim=True), hidden.var(0, keepdim=True, unbiased=True)
        return float(F.cross_entropy(_logits(parameters, hidden, mean, variance), targets))

    @cached_property
    def _probed(self) -> tuple[Tensor, Tensor]:
        contexts, targets = self._dev
        rows = torch.randperm(len(targets), generator=torch.Generator().manual_seed(self.seed))[:PROBE_EXAMPLES]
        return contexts[rows], targets[rows]

    def measured(self, parameters: Parameters, seed: int, names: int) -> Measured:
        """Return the losses on the whole splits, and so many names that the network makes up."""
        statistics = self._statistics(parameters)
        losses = Losses(*(self._loss(parameters, split, *statistics) for split in (Split.TRAIN, Split.DEV)))
        generator = torch.Generator().manual_seed(seed)
        made: list[str] = []
        for _ in range(TRIES_PER_NAME * names):  # an untrained network ends many names at once
            if len(made) < names and (name := self._name(parameters, *statistics, generator)):
                made.append(name)
        return Measured(losses, tuple(made))

    def _loss(self, parameters: Parameters, split: Split, mean: Tensor, variance: Tensor) -> float:
        contexts, targets = self._examples(split)
        total = 0.0
        for block in _blocks(len(targets)):
            logits = _logits(parameters, _before_norm(parameters, contexts[block]), mean, variance)
            total += float(F.cross_entropy(logits, targets[block], reduction="sum"))
        return total / len(targets)

    def _statistics(self, parameters: Parameters) -> tuple[Tensor, Tensor]:
        """Return mean and variance ``(1, n_hidden)`` over the training split, summed in float64 in one pass."""
        contexts, _ = self._examples(Split.TRAIN)
        count = len(contexts)
        total = torch.zeros(1, self.n_hidden, dtype=torch.float64)
        squares = torch.zeros(1, self.n_hidden, dtype=torch.float64)
        for block in _blocks(count):
            hidden = _before_norm(parameters, contexts[block]).double()
            total += hidden.sum(0, keepdim=True)
            squares += (hidden * hidden).sum(0, keepdim=True)
        mean = total / count
        return mean.float(), ((squares - count * mean * mean) / (count - 1)).float()

    def _name(self, parameters: Parameters, mean: Tensor, variance: Tensor, generator: torch.Generator) -> str:
        """Return a name that the network makes up."""
        context, letters = [0] * self.block_size, ""
        while len(letters) < NAME_LENGTH_MAX:
            hidden = _before_norm(parameters, torch.tensor([context]))
            probabilities = F.softmax(_logits(parameters, hidden, mean, variance), 1)
            if not bool(probabilities.isfinite().all()):  # large steps have blown the network up
                return ""
            index = int(torch.multinomial(probabilities, 1, generator=generator))
            if index == 0:
                break
            letters += chr(ord("a") + index - 1)
            context = [*context[1:], index]
        return letters


@lru_cache(maxsize=DRAWINGS_KEPT)
def _drawn_rows(seed: int, block: int, batch: int, examples: int) -> Tensor:
    """Return the rows of the training split for 1,024 steps, ``(1024, batch)``."""
    digest = hashlib.sha256(f"{seed}/{block}/{batch}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    return torch.randint(0, examples, (DRAWN_STEPS, batch), generator=generator)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK_EXAMPLES) for start in range(0, count, BLOCK_EXAMPLES))


def _before_norm(parameters: Parameters, contexts: Tensor) -> Tensor:
    return parameters["C"][contexts].view(len(contexts), -1) @ parameters["W1"] + parameters["b1"]


def _logits(parameters: Parameters, hidden: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    normal = (hidden - mean) * (variance + EPSILON) ** -0.5
    h = torch.tanh(parameters["bngain"] * normal + parameters["bnbias"])
    return h @ parameters["W2"] + parameters["b2"]


NUMBERS = TrainingNumbers()
