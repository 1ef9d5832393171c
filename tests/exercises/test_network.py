"""The numbers of the makemore exercises: the lecture's to the last bit, and fair draws."""

from __future__ import annotations

import pytest

from exercises.catalog import CATALOG
from exercises.makemore.network import MAKEMORE
from exercises.names import Names

# SHA-256 of the canonical forward state of revision 1. Another digest needs another revision.
CANONICAL_DIGESTS = {
    "makemore/full-backward": "aa28882df4acde28b47b8b43a36c1fc7aa21b0f5ae6668519678072e3d6dd6c1",
    "makemore/cross-entropy": "f24b79a2bfa188b0ff34b357cea68d00c3404dbc2ab44762100337c745bd2fdd",
    "makemore/batch-norm": "7f34c51cbfb492a99c2f5070b534a7edbea51c27d35af7bb092ff6bf2d215333",
}
TEN = Names(tuple("ann bob cy dee ed flo gus hal ivy jo".split()), "d")


def test_canonical_states_are_known_for_every_exercise() -> None:
    assert set(CANONICAL_DIGESTS) == set(CATALOG)


@pytest.mark.parametrize("slug", CANONICAL_DIGESTS)
def test_a_canonical_state_has_the_known_bytes(slug: str) -> None:
    assert CATALOG[slug].revision == 1

    assert CATALOG[slug].canonical().digest == CANONICAL_DIGESTS[slug]


def test_minibatches_are_drawn_from_all_training_examples() -> None:
    training = {(*context.tolist(), int(target)) for context, target in zip(*TEN.training, strict=True)}

    drawn = set()
    for seed in range(20):
        numbers = MAKEMORE.draw(seed, TEN)
        drawn |= {
            (*context.tolist(), int(target)) for context, target in zip(numbers["Xb"], numbers["Yb"], strict=True)
        }

    assert drawn == training


def test_the_constants_describe_the_tensors() -> None:
    numbers = MAKEMORE.draw(0, TEN)

    constants = {name: int(value) for name, value in numbers.items() if value.dim() == 0}

    assert constants == {
        "n": 32,
        "batch_size": 32,
        "block_size": 3,
        "vocab_size": 27,
        "n_embd": 10,
        "n_hidden": 64,
    }
