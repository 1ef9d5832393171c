"""The lecture's flow in a notebook, against a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import torch

from dojo import NotebookExercise, pull
from dojo.api.http import Network
from dojo.notebook import LOCAL_REMARK, Timing
from exercises.registry import find
from grader import numerics
from tests.client.conftest import Live
from tests.client.test_live import SLUG, dojo, execute, printed

SOLUTION = find(SLUG).solution
NAMES = [checkpoint.name for checkpoint in find(SLUG).checkpoints]
MISTAKES = {
    "counts": ("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv"),
    "hpreact": ("(1.0 - h**2) * dh", "(1.0 - h) * dh"),
    "bnmeani": ("dbnmeani = -dbndiff.sum", "dbnmeani = dbndiff.sum"),
}
WHERE_TO_LOOK = re.compile(r"    look at d\w+ first$")  # only a cell is told; a table shows it
# Cells may be run as fast as this, and nothing is handed in behind the test's back.
BY_HAND = Timing(start_timer=lambda *_: lambda: None)


def gradients(exercise: NotebookExercise, source: str = SOLUTION) -> dict[str, Any]:
    """The variables after a solution was run."""
    names = exercise.tensors | {"torch": torch, "F": torch.nn.functional}
    exec(source, names)
    return {f"d{name}": names[f"d{name}"] for name in NAMES}


def with_mistakes() -> str:
    source = SOLUTION
    for right, wrong in MISTAKES.values():
        assert right in source
        source = source.replace(right, wrong)
    return source


@pytest.fixture
def joined(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a student who has joined, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(tmp_path / "config"))
    assert dojo(live, tmp_path, "join", live.address, live.code, "--name", "Ada")[0] == 0
    return tmp_path


def history(live: Live, folder: Path) -> list[dict[str, Any]]:
    return list(json.loads(dojo(live, folder, "history", "--json")[1])["submissions"])


def test_each_cell_says_what_check_says(live: Live, joined: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = pull(SLUG, timing=BY_HAND)
    answers = gradients(exercise, with_mistakes())
    namespace: dict[str, Any] = {}
    exercise.into(namespace)
    whose: dict[str, str | None] = {}

    for name in NAMES:
        namespace[f"d{name}"] = answers[f"d{name}"]
        capsys.readouterr()
        exercise.cmp(name, namespace[f"d{name}"], namespace[name])
        told = [line for line in capsys.readouterr().out.splitlines() if not WHERE_TO_LOOK.match(line)]

        results = exercise.check(namespace)
        assert results is not None
        row = results.grade.row(name)
        assert row is not None
        assert told == [row.line(), *(f"    {remark}" for remark in row.remarks())]
        whose[name] = row.origin

    assert [name for name in NAMES if whose[name] == "own"] == list(MISTAKES)
    assert "unknown" not in whose.values()


def test_a_run_of_all_cells_is_one_entry_and_no_refusal(
    live: Live, joined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = pull(SLUG, timing=BY_HAND)
    answers = gradients(exercise)

    for _ in range(4):  # 108 comparisons within a minute
        for name in NAMES:
            exercise.cmp(name, answers[f"d{name}"])
        exercise.hand_in()

    assert capsys.readouterr().out.count("exact: True ") == 104
    [submission] = history(live, joined)
    assert submission["attempt"] == 1
    assert submission["grade"]["passed"] == 26
    assert exercise.check(answers) is not None
    checkpoints = json.loads(dojo(live, joined, "status", SLUG, "--json")[1])["checkpoints"]
    assert {checkpoint["attempts"] for checkpoint in checkpoints} <= {1, 2}


def test_the_pulled_notebook_is_exact_on_any_kernels(live: Live, joined: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    assert dojo(live, joined, "pull", SLUG)[0] == 0
    path = joined / "full-backward" / "exercise.ipynb"
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[1].source = SOLUTION
    for cell, name in zip(code[2:-1], NAMES[1:], strict=True):
        cell.source = f"cmp({name!r}, d{name}, {name})"
    execute(live, path.parent, notebook, without=tuple(numerics.PINNED))

    assert ["exact: True" in printed(cell) for cell in code[2:-1]] == [True] * 25
    assert code[-1].outputs[-1].data["text/plain"].endswith("26 of 26 pass, 26 exact")
    assert len(history(live, joined)) == 1


def test_without_a_network_the_truth_is_the_servers(
    live: Live, joined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Train(httpx.BaseTransport):
        """A network that is there or not."""

        inner = httpx.HTTPTransport()
        is_there = True

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if not self.is_there:
                raise httpx.ConnectError("no network")
            return self.inner.handle_request(request)

    train = Train()
    now = 0.0
    timing = Timing(now=lambda: now, start_timer=lambda *_: lambda: None)
    exercise = pull(SLUG, network=Network(train, sleep=lambda _: None), timing=timing)
    answers = gradients(exercise, with_mistakes())

    train.is_there = False
    capsys.readouterr()
    for name in NAMES:
        exercise.cmp(name, answers[f"d{name}"])
    told = capsys.readouterr().out
    assert told.count(LOCAL_REMARK) == 26
    offline = [line for line in told.splitlines() if " | maxdiff: " in line]
    train.is_there, now = True, 60.0
    exercise.hand_in()

    [submission] = history(live, joined)
    rows = json.loads(dojo(live, joined, "show", str(submission["id"]), "--json")[1])["grade"]["checkpoints"]
    verdicts = [f"exact: {row['exact']!s:5s} | approximate: {row['approximate']!s:5s}" for row in rows]
    assert [line.split(" | ", 1)[1].rpartition(" | ")[0] for line in offline] == verdicts
    assert [float(line.rpartition(" ")[2]) for line in offline] == [row["maxdiff"] for row in rows]
    assert {row["name"] for row in rows if row["origin"] == "own"} == set(MISTAKES)
