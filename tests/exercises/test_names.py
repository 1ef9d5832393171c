"""The dataset: which list is chosen, what is refused, and that examples and split are the lecture's."""

import hashlib
import json
import random
from pathlib import Path

import pytest
import torch

from exercises import names
from exercises.data.make_minibatch import figures_of
from exercises.names import BadNames, canonical_minibatch, examples, load, split
from tests.lecture import lecture_names

TEN = "ann\nbob\ncy\ndee\ned\nflo\ngus\nhal\nivy\njo"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOJO_NAMES_FILE", raising=False)


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder in place of the real one."""
    monkeypatch.setattr(names, "_DATA", tmp_path)
    return tmp_path


def as_the_lecture_builds(words: list[str]) -> tuple[list[list[int]], list[int]]:
    contexts, targets = [], []
    for word in words:
        window = [0, 0, 0]
        for index in [".abcdefghijklmnopqrstuvwxyz".index(character) for character in word + "."]:
            contexts.append(window)
            targets.append(index)
            window = [*window[1:], index]
    return contexts, targets


def test_bundled_list_is_the_one_described(data_folder: Path) -> None:
    origin = Path(names.__file__).with_name("data") / "ORIGIN.md"
    bundled = load()
    assert f"{len(bundled.words):,} given names" in origin.read_text()
    assert f"sha256 of this file | `{bundled.digest}`" in origin.read_text()
    assert len(set(bundled.words)) == len(bundled.words)
    assert bundled.words[:3] == ("emma", "olivia", "ava")


def test_an_explicit_file_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    explicit, named = tmp_path / "explicit.txt", tmp_path / "named.txt"
    explicit.write_text(TEN)
    named.write_text(TEN + "\nkay\n")
    monkeypatch.setenv("DOJO_NAMES_FILE", str(named))
    assert load(explicit).words == tuple(TEN.split())
    assert load(explicit).digest == hashlib.sha256(TEN.encode()).hexdigest()
    assert load().words[-1] == "kay"


def test_the_lectures_file_in_the_data_folder_is_known_by_its_digest(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_folder / "a_stranger.txt").write_text(TEN + "\nkay")
    (data_folder / "names.txt").write_text(TEN)
    assert len(load().words) > 1000
    monkeypatch.setattr(names, "LECTURE_DIGEST", hashlib.sha256(TEN.encode()).hexdigest())
    assert load().words == tuple(TEN.split())


@pytest.mark.parametrize("content", [TEN, TEN + "\n"])
def test_last_line_end_does_not_matter(tmp_path: Path, content: str) -> None:
    (tmp_path / "names.txt").write_text(content)
    assert load(tmp_path / "names.txt").words == tuple(TEN.split())


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "Give it more"),
        (b"emma\n", "Give it more"),
        (b"emma\n" * 50, "Give it more"),
        (TEN.replace("cy", "Cy").encode(), "line 3: 'Cy'.*letters a-z only"),
        (TEN.replace("cy", "c-y").encode(), "line 3: 'c-y'.*letters a-z only"),
        (TEN.replace("cy", "zoë").encode(), "line 3.*letters a-z only"),
        (TEN.replace("cy", "").encode(), "line 3: ''.*letters a-z only"),
        (TEN.replace("\n", "\r\n").encode(), "Windows line ends. Convert"),
        (b"\xef\xbb\xbf" + TEN.encode(), "byte order mark. Save it"),
        (b"\x00\xff" * 100, "line 1.*letters a-z only"),
    ],
)
def test_bad_files_say_what_to_change(tmp_path: Path, content: bytes, advice: str) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(BadNames, match=advice):
        load(tmp_path / "names.txt")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadNames, match=r"No such file.*unset it to use the bundled list"):
        load(tmp_path / "nowhere.txt")


def test_examples_are_those_of_the_lectures_loop() -> None:
    words = ["emma", "x", "ab", "zoe", "qqq"]
    contexts, targets = examples(words)
    assert (contexts.tolist(), targets.tolist()) == as_the_lecture_builds(words)
    assert contexts.dtype == targets.dtype == torch.int64


def test_split_is_the_lectures() -> None:
    words = [f"{number}" for number in range(1003)]
    shuffled = list(words)
    random.seed(42)
    random.shuffle(shuffled)
    assert split(words) == (shuffled[:802], shuffled[802:902], shuffled[902:])


def test_training_examples_come_from_the_training_split() -> None:
    bundled = load()
    expected = examples(split(bundled.words)[0])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(bundled.training, expected, strict=True))


def test_canonical_minibatch_is_the_lectures() -> None:
    contexts, targets = canonical_minibatch()
    assert contexts.shape == (32, 3)
    assert contexts.dtype == targets.dtype == torch.int64
    assert targets.tolist() == [
        *(8, 14, 15, 22, 0, 19, 9, 14, 5, 1, 20, 3, 8, 14, 12, 0),
        *(11, 0, 26, 9, 25, 0, 1, 1, 7, 18, 9, 3, 5, 9, 0, 18),
    ]


def test_the_lectures_list_has_the_lectures_shapes() -> None:
    dataset = load(lecture_names())
    assert dataset.digest == names.LECTURE_DIGEST
    shapes = [tuple(examples(part)[0].shape) for part in split(dataset.words)]
    assert shapes == [(182625, 3), (22655, 3), (22866, 3)]


def test_canonical_minibatch_can_be_made_again() -> None:
    kept = json.loads((Path(names.__file__).with_name("data") / "canonical_minibatch.json").read_text())
    assert figures_of(lecture_names()) == kept
