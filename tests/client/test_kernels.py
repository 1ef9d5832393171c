"""The kernels of torch in the student's own Python: the server's, where they can still be chosen."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import torch

from dojo.kernels import SERVERS_KERNELS, difference
from grader import numerics

SCRIPT = """if True:
    import sys
    from pathlib import Path
    {first}
    from dojo import kernels, notebook
    from dojo.files import workspace
    from tests.client.fake import SLUG, FakeDojo, expected
    import httpx2 as httpx

    def add_note(request):
        answer = fake._answer(request)
        if request.url.path.endswith("/check") and {note!r}:
            grade = answer.json()
            grade["checkpoints"][0]["notes"] = [{note!r}]
            return httpx.Response(200, json=grade)
        return answer

    fake = FakeDojo(before=add_note)
    folder = workspace.pull(fake.connection, SLUG, Path(sys.argv[1])).workspace
    exercise = notebook.NotebookExercise(folder, lambda: fake.connection)
    for factor in (1 + 1e-6, 1 + 2e-6):
        exercise.cmp("counts", expected()["counts"] * factor)
    print(kernels.difference(""))
"""


def run(first: str, folder: Path, note: str = "", **environ: str) -> str:
    plain = {name: value for name, value in os.environ.items() if name not in numerics.PINNED}
    command = [sys.executable, "-c", SCRIPT.format(first=first, note=note), str(folder)]
    return subprocess.run(command, env=plain | environ, check=True, capture_output=True, text=True).stdout


def test_both_sides_choose_the_same_kernels() -> None:
    assert SERVERS_KERNELS.items() <= numerics.PINNED.items()


def test_pulling_before_torch_chooses_the_servers_kernels(tmp_path: Path) -> None:
    printed = run("import dojo.kernels; dojo.kernels.choose_the_servers()", tmp_path / "x")

    assert printed.splitlines()[-1] == "None"
    assert "another matter" not in printed


def test_torch_before_the_pull_is_told_once(tmp_path: Path) -> None:
    first = "import torch; import dojo.kernels; dojo.kernels.choose_the_servers()"
    printed = run(first, tmp_path / "x")

    assert printed.splitlines()[-1].startswith("your torch runs others. For the same bits, restart the kernel")
    assert printed.count("Exact on the server's kernels is another matter") == 1


def test_kernels_explain_nothing_that_the_server_explains(tmp_path: Path) -> None:
    printed = run("import torch", tmp_path / "x", note="more than rounding explains")

    assert printed.count("more than rounding explains") == 2
    assert "another matter" not in printed


def test_what_the_student_has_set_stays(tmp_path: Path) -> None:
    first = "import os, dojo.kernels; dojo.kernels.choose_the_servers(); print(os.environ['MKL_CBWR'])"

    assert run(first, tmp_path / "x", MKL_CBWR="AUTO").splitlines()[0] == "AUTO"


def test_the_servers_own_environment_is_no_difference() -> None:
    assert difference(numerics.environment()) is None


def test_another_torch_or_processor_is_told() -> None:
    theirs = numerics.environment().split()

    assert difference(f"torch 1.0 {' '.join(theirs[2:])}") == (
        f"your torch is {torch.__version__}, and the server's is 1.0."
    )
    assert difference(f"torch {theirs[1]} vax kernels=default") == (
        f"your processor is {platform.machine()}, and the server's is vax."
    )
