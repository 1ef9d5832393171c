"""The numbers of the makemore exercises: the lecture's to the last bit, and fair draws."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from exercises.instance import Instance, Kind
from exercises.makemore import names
from exercises.makemore.names import BadNames
from exercises.makemore.network import Makemore, WithinNetwork
from exercises.registry import find, find_pack
from exercises.tape import constants

# SHA-256 of the forward states of revision 1. Other bytes need another revision.
CANONICAL_DIGESTS = {
    "makemore/full-backward": "aa28882df4acde28b47b8b43a36c1fc7aa21b0f5ae6668519678072e3d6dd6c1",
    "makemore/cross-entropy": "f24b79a2bfa188b0ff34b357cea68d00c3404dbc2ab44762100337c745bd2fdd",
    "makemore/batch-norm": "7f34c51cbfb492a99c2f5070b534a7edbea51c27d35af7bb092ff6bf2d215333",
    "makemore/train": "133eb80a6af8863ff2c1d9f4e392924c15770cc1c8a72a1c7ebd4f05137ca6af",
}
DIGESTS_OF_SEED_1 = {  # with the bundled names
    "makemore/full-backward": "11eb7f9220e922b9c921aebbece80eb1e43080a620eb99c742686161cc84826f",
    "makemore/cross-entropy": "e1a5cbf3fb30b8adb9851c87e6344543df07d8a5f3ca510aa434e4b731ca0af7",
    "makemore/batch-norm": "215425479a0dc5b1e504d28ee98268ecb5d14e2147daee87b01f3d1780e737f0",
    "makemore/train": "9c9633ec0da195f9c40508faa70bf07fbcbe129ea4be7691147260f32aa42313",
}


@pytest.fixture
def ten_names(tmp_path: Path) -> Path:
    """A file of ten names, which give some forty training examples."""
    path = tmp_path / "ten.txt"
    path.write_text("ann\nbob\ncy\ndee\ned\nflo\ngus\nhal\nivy\njo\n")
    return path


def test_digests_are_known_for_every_exercise() -> None:
    slugs = {exercise.slug for exercise in find_pack("makemore").exercises}

    assert set(CANONICAL_DIGESTS) == set(DIGESTS_OF_SEED_1) == slugs


@pytest.mark.parametrize("slug", CANONICAL_DIGESTS)
def test_a_canonical_state_has_the_known_bytes(slug: str) -> None:
    instance = Instance.canonical(find(slug))

    assert find(slug).revision == 1
    assert instance.digest == CANONICAL_DIGESTS[slug]
    assert instance.dataset == names.LECTURE_DIGEST


@pytest.mark.parametrize("slug", DIGESTS_OF_SEED_1)
def test_a_drawn_state_has_the_known_bytes(slug: str) -> None:
    exercise = find(slug)
    numbers = exercise.numbers
    if isinstance(numbers, WithinNetwork):
        numbers = replace(numbers, network=Makemore(names_file=names.BUNDLED))
    else:
        assert isinstance(numbers, Makemore)
        numbers = replace(numbers, names_file=names.BUNDLED)

    instance = Instance.draw(replace(exercise, numbers=numbers), 1, Kind.STUDENT)

    assert instance.digest == DIGESTS_OF_SEED_1[slug]
    assert instance.dataset == names.load(names.BUNDLED).digest


def test_minibatches_are_drawn_from_all_training_examples(ten_names: Path) -> None:
    training = {
        (*context.tolist(), int(target)) for context, target in zip(*names.load(ten_names).training, strict=True)
    }

    drawn = set()
    for seed in range(20):
        tensors = Makemore(names_file=ten_names).draw(seed).tensors
        drawn |= {
            (*context.tolist(), int(target)) for context, target in zip(tensors["Xb"], tensors["Yb"], strict=True)
        }

    assert drawn == training


def test_the_constants_describe_the_tensors(ten_names: Path) -> None:
    numbers = Makemore(names_file=ten_names).draw(0)

    assert constants(numbers.tensors) == {
        "n": 32,
        "batch_size": 32,
        "block_size": 3,
        "vocab_size": 27,
        "n_embd": 10,
        "n_hidden": 64,
    }


def test_names_are_read_at_first_use(ten_names: Path) -> None:
    source = Makemore(names_file=ten_names)
    ten_names.write_text("no names at all\n")
    source.canonical()

    with pytest.raises(BadNames, match="letters a-z only"):
        source.draw(0)


def test_names_are_read_once(ten_names: Path) -> None:
    source = Makemore(names_file=ten_names)
    digest = hashlib.sha256(ten_names.read_bytes()).hexdigest()
    source.prepare()

    ten_names.unlink()

    assert source.draw(0).dataset == digest


def test_preparing_tells_of_a_bad_file(tmp_path: Path) -> None:
    with pytest.raises(BadNames, match="unset it to use the bundled list"):
        Makemore(names_file=tmp_path / "absent.txt").prepare()
