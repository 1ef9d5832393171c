"""Files and folders that are handed in: which one, how large, and for what."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from dojo.errors import BadFile
from dojo.handin import LARGEST_SOURCE, Code, Tensors, answers_in, find_file, read_handin
from tests.client.fake import SLUG
from tests.client.test_cells import notebook


def write(path: Path, *names: str) -> Path:
    path.write_bytes(safetensors.torch.save({name: torch.ones(1) for name in names}))
    return path


def read(path: Path) -> Code | Tensors:
    return read_handin(path, SLUG, ("counts", "logits"), ("counts", "logits", "n"))


def test_in_a_folder_the_last_change_counts_but_not_the_state(tmp_path: Path) -> None:
    for age, name in enumerate(("state.safetensors", "b.txt", "b.ipynb", "a.py", "c.safetensors")):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, ns=(1, 100 - age))
    (tmp_path / "folder.py").mkdir()
    assert find_file(tmp_path).name == "b.ipynb"


@pytest.mark.parametrize("names", [("solution.py", "z.py"), ("z.py", "solution.py")])
def test_of_files_of_one_age_solution_py_counts(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, ns=(5, 5))
    assert find_file(tmp_path).name == "solution.py"


def test_a_folder_with_nothing_to_hand_in_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "state.safetensors").write_text("")
    with pytest.raises(BadFile, match=r"Write solution\.py or exercise\.ipynb"):
        find_file(tmp_path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(BadFile, match="neither of"):
        find_file(tmp_path / "a.txt")


@pytest.mark.parametrize("letter", ["x", "é"])
def test_code_may_be_64_kib_and_no_byte_more(tmp_path: Path, letter: str) -> None:
    path = tmp_path / "a.py"
    source = "#" + letter * ((LARGEST_SOURCE - 1) // len(letter.encode()))
    path.write_text(source.ljust(len(source) + LARGEST_SOURCE - len(source.encode())), encoding="utf-8")
    assert isinstance(read(path), Code)
    with path.open("a") as file:
        file.write(" ")
    with pytest.raises(BadFile, match="64 KiB are taken"):
        read(path)


def test_code_in_another_encoding_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# größe".encode("latin-1"))
    with pytest.raises(BadFile, match="UTF-8"):
        read(tmp_path / "a.py")


def test_a_byte_order_mark_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("dcounts = n", encoding="utf-8-sig")
    found = read(tmp_path / "a.py")
    assert isinstance(found, Code)
    assert found.source == "dcounts = n"


@pytest.mark.parametrize(
    "names",
    [("dcounts",), ("counts",), ("counts", "logits"), ("Yb", "counts"), ("Yb", "counts", "logits", "dcounts")],
)
def test_tensors_of_the_exercise_are_taken(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert isinstance(read(write(tmp_path / "a.safetensors", *names)), Tensors)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("Yb", "counts", "logits"), "looks like the forward state"),
        (("loss", "counts", "logits"), "looks like the forward state"),
        (("x",), "holds no tensor of this exercise"),
        ((), "holds no tensor of this exercise"),
    ],
)
def test_other_tensors_are_refused(tmp_path: Path, names: tuple[str, ...], says: str) -> None:
    with pytest.raises(BadFile, match=says):
        read(write(tmp_path / "a.safetensors", *names))


def test_the_answers_of_a_file_are_what_it_makes(tmp_path: Path) -> None:
    code, cells, tensors = (tmp_path / name for name in ("a.py", "a.ipynb", "a.safetensors"))
    code.write_text("dh = 1\ndC[0] = 2")
    cells.write_text(json.dumps(notebook("dh = 1", "dC[0] = 2")))
    assert answers_in(code) == answers_in(cells) == {"dh", "dC"}
    assert answers_in(write(tensors, "h", "dC")) == {"h", "dh", "dC", "ddC"}
    code.write_text("dh = (")
    assert answers_in(code) == set()
