"""Files and folders that are handed in: which one, how large, and for what."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from dojo.errors import BadFile
from dojo.files.answer_file import (
    SOURCE_BYTES_MAX,
    CodeFile,
    TensorFile,
    find_answer_file,
    read_answer_file,
    variables_in,
)
from dojo.notebook_slice import Goal
from tests.client.notebooks import notebook


def write(path: Path, *names: str) -> Path:
    path.write_bytes(safetensors.torch.save({name: torch.ones(1) for name in names}))
    return path


def read(path: Path) -> CodeFile | TensorFile:
    return read_answer_file(path, Goal(("counts", "logits"), frozenset({"counts", "logits", "n"})))


def test_a_folder_submits_its_newest_answer_file(tmp_path: Path) -> None:
    for age, name in enumerate(("state.safetensors", "b.txt", "b.ipynb", "a.py", "c.safetensors")):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, ns=(1, 100 - age))
    (tmp_path / "folder.py").mkdir()
    assert find_answer_file(tmp_path).name == "b.ipynb"


@pytest.mark.parametrize("names", [("solution.py", "z.py"), ("z.py", "solution.py")])
def test_of_files_of_one_age_solution_py_counts(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, ns=(5, 5))
    assert find_answer_file(tmp_path).name == "solution.py"


def test_a_folder_without_answers_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "state.safetensors").write_text("")
    with pytest.raises(BadFile, match=r"Write solution\.py or exercise\.ipynb"):
        find_answer_file(tmp_path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(BadFile, match="neither of"):
        find_answer_file(tmp_path / "a.txt")


@pytest.mark.parametrize("letter", ["x", "é"])
def test_code_has_at_most_64_kib(tmp_path: Path, letter: str) -> None:
    path = tmp_path / "a.py"
    source = "#" + letter * ((SOURCE_BYTES_MAX - 1) // len(letter.encode()))
    path.write_text(source.ljust(len(source) + SOURCE_BYTES_MAX - len(source.encode())), encoding="utf-8")
    assert isinstance(read(path), CodeFile)
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
    assert isinstance(found, CodeFile)
    assert found.source == "dcounts = n"


@pytest.mark.parametrize(
    "names",
    [("dcounts",), ("counts",), ("counts", "logits"), ("Yb", "counts"), ("Yb", "counts", "logits", "dcounts")],
)
def test_tensors_of_the_exercise_are_taken(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert isinstance(read(write(tmp_path / "a.safetensors", *names)), TensorFile)


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


def test_a_files_variables_are_found(tmp_path: Path) -> None:
    code, cells, tensors = (tmp_path / name for name in ("a.py", "a.ipynb", "a.safetensors"))
    code.write_text("dh = 1\ndC[0] = 2")
    cells.write_text(json.dumps(notebook("dh = 1", "dC[0] = 2")))
    assert variables_in(code) == variables_in(cells) == {"dh", "dC"}
    assert variables_in(write(tensors, "h", "dC")) == {"h", "dh", "dC", "ddC"}
    code.write_text("dh = (")
    assert variables_in(code) == set()


@pytest.mark.parametrize("name", ["a.txt", "nothing.py", ""])
def test_the_advice_names_the_command_that_was_typed(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text("")

    with pytest.raises(BadFile) as refused:
        find_answer_file(tmp_path / name, "train")

    assert "dojo train " in refused.value.next_step
