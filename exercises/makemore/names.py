"""The dataset: a list of names, and the contexts and targets made from it.

The network of the makemore lectures reads three characters and predicts the next one. ``.`` stands for both ends of a
name and has index 0; ``a`` to ``z`` have 1 to 26.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from exercises.errors import PackError

BLOCK_SIZE = 3  # characters of context
VOCAB_SIZE = 27
LECTURE_DIGEST = "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"

DATA = Path(__file__).with_name("data")
BUNDLED = DATA / "us_names_2016.txt"
_WORD = re.compile(r"[a-z]+")


class BadNames(PackError):
    """A file of names that cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Names:
    """A list of names. ``digest`` is the SHA-256 of its file and identifies the dataset."""

    words: tuple[str, ...] = field(repr=False)
    digest: str

    @cached_property
    def training(self) -> tuple[Tensor, Tensor]:
        """Contexts ``(N, 3)`` and targets ``(N,)`` of the training split, int64."""
        return examples(split(self.words)[0])


def load(path: Path | None = None, *, data: Path = DATA) -> Names:
    """Load the list of names.

    The first of these files that there is:

    1. ``path``
    2. the file that ``DOJO_NAMES_FILE`` names
    3. the lecture's list, if it lies in the folder ``data``
    4. the bundled list

    :raises BadNames: the file cannot be read, or holds something other than one lower-case name a line
    """
    path = path or _path_from_environment() or find_by_digest(data, LECTURE_DIGEST) or BUNDLED
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadNames(
            f"{path}: {error.strerror}. Let DOJO_NAMES_FILE name a readable file, or unset it to use the bundled list."
        ) from error
    return Names(_words(content, path), _digest(content))


def find_by_digest(folder: Path, digest: str) -> Path | None:
    """Return the text file of a folder that has this SHA-256, whatever its name; None if there is none."""
    return next((path for path in sorted(folder.glob("*.txt")) if _digest(path.read_bytes()) == digest), None)


def split(words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Split the names as the lecture does: shuffled with seed 42, 80 % training, 10 % validation, 10 % test."""
    shuffled = list(words)
    random.Random(42).shuffle(shuffled)
    first, second = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def examples(words: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return contexts ``(N, 3)`` and targets ``(N,)``, int64.

    Each word gives one example for each of its characters and one for its end.
    """
    pad = "." * BLOCK_SIZE
    text = bytearray(pad + "".join(word + pad for word in words), "ascii")
    indices = (torch.frombuffer(text, dtype=torch.uint8).long() - (ord("a") - 1)).clamp(min=0)
    windows = indices.unfold(0, BLOCK_SIZE + 1, 1)
    # A window whose last two characters are both padding lies between two words and predicts nothing.
    windows = windows[windows[:, -2:].any(dim=1)]
    return windows[:, :-1].contiguous(), windows[:, -1].contiguous()


def canonical_minibatch() -> tuple[Tensor, Tensor]:
    """Return the lecture's minibatch, of dataset ``LECTURE_DIGEST``: contexts ``(32, 3)``, targets ``(32,)``, int64."""
    figures = json.loads((DATA / "canonical_minibatch.json").read_text("ascii"))
    return torch.tensor(figures["contexts"]), torch.tensor(figures["targets"])


def _path_from_environment() -> Path | None:
    named = os.environ.get("DOJO_NAMES_FILE")
    return Path(named) if named else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _words(content: bytes, path: Path) -> tuple[str, ...]:
    if content.startswith(b"\xef\xbb\xbf"):
        raise BadNames(f"{path} starts with a byte order mark. Save it as plain ASCII or as UTF-8 without the mark.")
    if b"\r" in content:
        raise BadNames(f"{path} has Windows line ends. Convert them: tr -d '\\r' < old.txt > new.txt")
    # Latin-1 decodes any byte; the check below finds what is not a letter.
    lines = content.decode("latin-1").removesuffix("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if content and not _WORD.fullmatch(line):
            raise BadNames(
                f"{path}, line {number}: {line[:40]!r} is not a name. Put one name a line, letters a-z only."
            )
    if len(set(lines)) < 10:
        raise BadNames(f"{path} holds fewer than 10 different names. Give it more, so that each split has some.")
    return tuple(lines)
