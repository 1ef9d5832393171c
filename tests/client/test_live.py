"""The client against a real server over a socket: the command in a terminal, the notebook in a kernel."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pexpect  # type: ignore[import-untyped]
import pytest
import torch

from dojo import pull
from dojo.notebook import Timing
from exercises.registry import find
from tests.client.conftest import Live, served
from tests.client.notebook_slice.scripts import SCRIPTS
from tests.lecture import lecture_notebook
from tests.support.processes import reserved_port

SLUG = "makemore/full-backward"


def dojo(live: Live, folder: Path, *words: str | Path) -> tuple[int, str, str]:
    environ = live.environ(folder / "config")
    done = subprocess.run(
        ["dojo", *map(str, words)], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def joined(live: Live, tmp_path: Path) -> Path:
    """The folder of a student who has joined and pulled."""
    code, _, err = dojo(live, tmp_path, "join", live.address, live.code, "--name", "Ada")
    assert code == 0, err
    code, _, err = dojo(live, tmp_path, "pull", SLUG)
    assert code == 0, err
    return tmp_path


def test_from_joining_to_26_exact_rows(live: Live, joined: Path) -> None:
    solution = joined / "full-backward" / "solution.py"
    code, out, _ = dojo(live, joined, "submit", solution)
    assert code == 1
    assert "]  0 of 26 pass, 0 exact\n· 26 are not there yet: logprobs, probs," in out
    assert "Next: dlogprobs\n" in out
    solution.write_text(find(SLUG).solution)
    code, out, err = dojo(live, joined, "check", solution)
    assert (code, err) == (0, "")
    code, out, _ = dojo(live, joined, "submit", solution)
    assert code == 0
    assert out.endswith("All 26 steps pass, exact: this exercise is done.\nNext: dojo pull makemore/cross-entropy\n")
    code, out, _ = dojo(live, joined, "submit", solution, "--all")
    assert code == 0
    assert out.count("exact: True  | approximate: True  | maxdiff: 0.0") == 26
    code, out, _ = dojo(live, joined, "status", SLUG, "--json")
    assert json.loads(out)["exact"] == 26
    code, out, _ = dojo(live, joined, "history", "--json")
    newest = json.loads(out)["submissions"][0]["id"]
    assert dojo(live, joined, "show", str(newest))[0] == 0
    assert dojo(live, joined, "list")[0] == 0


def test_a_script_with_its_dataset_gives_all_rows(live: Live, joined: Path) -> None:
    (joined / "ninja.py").write_text(SCRIPTS["everything in main"])

    code, out, err = dojo(live, joined, "submit", "ninja.py", "--exercise", SLUG)

    assert code == 0, out + err
    assert "26 of 26 pass, 26 exact\n" in out
    assert "26 answers taken from lines" in err


def test_tensors_made_here_are_graded_there(live: Live, joined: Path) -> None:
    script = """if True:
        import safetensors.torch, torch
        from dojo.tensors import load

        state = load(open("full-backward/state.safetensors", "rb").read())
        d = torch.zeros_like(state["logprobs"])
        d[range(state["n"]), state["Yb"]] = -1.0 / state["n"]
        safetensors.torch.save_file({"dlogprobs": d}, "full-backward/answers.safetensors")
    """
    subprocess.run([sys.executable, "-c", script], cwd=joined, check=True)
    code, out, _ = dojo(live, joined, "submit", "full-backward/answers.safetensors", "--json")
    grade = json.loads(out)["grade"]
    assert code == 1
    assert [row["name"] for row in grade["checkpoints"] if row["exact"]] == ["logprobs"]


def test_the_lectures_own_notebook_as_it_is(live: Live, joined: Path) -> None:
    code, out, err = dojo(live, joined, "submit", lecture_notebook(), "--json")
    assert code == 0, err
    grade = json.loads(out)["grade"]
    assert grade["exact"] == 26
    assert [row["name"] for row in grade["checkpoints"] if "shape" in str(row["notes"])] == ["bnmeani"]


def test_a_wrong_join_code_says_what_to_do(live: Live, tmp_path: Path) -> None:
    code, out, err = dojo(live, tmp_path, "join", live.address, "WRONG-CODE", "--name", "Ada")
    assert (code, out) == (2, "")
    assert "instructor" in err


def in_terminal(live: Live, folder: Path, *words: str) -> Any:
    """The command as somebody sees it who types it."""
    return pexpect.spawn(
        "dojo",
        list(words),
        cwd=str(folder),
        env=live.environ(folder / "config"),
        dimensions=(60, 100),
        encoding="utf-8",
        timeout=180,
        preexec_fn=heed_interrupts,
    )


def heed_interrupts() -> None:
    """Undo, in a child, what a shell does to programs in the background: they do not notice Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_command_in_a_terminal(live: Live, joined: Path) -> None:
    (joined / "full-backward" / "solution.py").write_text(find(SLUG).solution)
    child = in_terminal(live, joined, "submit", "full-backward")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert child.before.count("\x1b[32m█") == 26
    assert "26 of 26 pass, 26 exact" in child.before
    child = in_terminal(live, joined, "submit", "full-backward", "--all")
    child.expect(pexpect.EOF)
    child.close()
    assert "\x1b[32mlogprobs" in child.before
    assert child.before.count("✓") == 52


def hand_in_an_endless_loop(live: Live, name: str) -> None:
    """Hand in, as another student, code that takes all the time that it may."""
    with httpx.Client(base_url=f"{live.address}/api/v1/", headers={"Dojo-API": "1"}) as http:
        token = http.post("join", json={"code": live.code, "name": name}).json()["token"]
        http.post(
            f"courses/autumn/exercises/{SLUG}/submissions",
            json={"source": "while True: pass"},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()


def test_a_terminal_shows_the_place_in_the_queue(live: Live, joined: Path) -> None:
    numbers = itertools.count()
    for _ in range(3):
        hand_in_an_endless_loop(live, f"Other {next(numbers)}")
    (joined / "full-backward" / "solution.py").write_text(find(SLUG).solution)
    child = in_terminal(live, joined, "submit", "full-backward")
    # On a busy machine the loops may have ended before the command has begun.
    while child.expect([r"place \d in the queue, about \d+ s", pexpect.TIMEOUT], timeout=1) == 1:
        hand_in_an_endless_loop(live, f"Other {next(numbers)}")
    child.expect("26 of 26 pass, 26 exact")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_watch_submits_on_save_until_control_c(live: Live, joined: Path) -> None:
    solution = joined / "full-backward" / "solution.py"
    child = in_terminal(live, joined, "watch", str(solution))
    child.expect("0 of 26 pass")
    child.expect("Watching")
    solution.write_text(find(SLUG).solution)
    child.expect_exact("\x1b[2J\x1b[H")  # the screen is cleared, and shows the newest result alone
    child.expect("26 of 26 pass")
    child.expect("Watching")  # the submission is over: an interrupt ends the watch, not the submission
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_what_was_handed_in_comes_back(live: Live, joined: Path) -> None:
    solution = joined / "full-backward" / "solution.py"
    mine = b"# Zo\xc3\xab\r\ndlogprobs = torch.zeros_like(logprobs)\n"
    solution.write_bytes(mine)
    number = json.loads(dojo(live, joined, "submit", solution, "--json")[1])["id"]
    solution.unlink()
    shutil.copytree(joined / "config", joined / "full-backward" / "config")
    code, _, err = dojo(live, joined / "full-backward", "restore", str(number))
    assert (code, err) == (0, "")
    assert solution.read_bytes() == mine.replace(b"\r\n", b"\n")  # as Python reads a text
    assert dojo(live, joined, "submissions", "show", str(number), "--code")[1] == solution.read_text()


def test_one_hint_more_each_time(live: Live, joined: Path) -> None:
    solution = joined / "full-backward" / "solution.py"
    whole = find(SLUG).solution
    solution.write_text(whole.replace("dprobs = dlogprobs / probs", "dprobs = dlogprobs * probs"))
    assert "= dlogprobs * probs" in solution.read_text()
    _, out, _ = dojo(live, joined, "submit", solution)
    assert "more inherit it" in out
    assert "One more hint (2 of 4): dojo hint" in out
    second, third, fourth, last = (dojo(live, joined, "hint")[1] for _ in range(4))
    assert second.startswith("probs           | exact: False")
    assert ("  2. " in second, "  3. " in second, "  3. " in third) == (True, False, True)
    assert "  4. Moving probs[" in fourth
    assert last.endswith("That was the last hint. The lecture: dojo open\n")


def execute(live: Live, folder: Path, notebook: Any, without: tuple[str, ...] = ()) -> Any:
    """Run a notebook in a kernel of its own, without some variables of this process."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    client = nbclient.NotebookClient(
        notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    environ = live.environ(folder.parent / "config" if (folder / ".dojo.json").exists() else folder / "config")
    environ = {name: value for name, value in environ.items() if name not in without}
    client.execute(env=environ)
    return notebook


def printed(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs if output.output_type == "stream")


def test_the_pulled_notebook_runs(live: Live, joined: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    path = joined / "full-backward" / "exercise.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[1].source = (
        "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0 / n\n"
        "cmp('logprobs', dlogprobs, logprobs)"
    )
    code[2].source = "dprobs = 2 * dlogprobs / probs\ncmp('probs', dprobs, probs)"
    execute(live, path.parent, notebook)
    assert printed(code[1]).startswith("logprobs        | exact: True  | approximate: True  | maxdiff: 0.0\n")
    assert printed(code[2]).startswith("probs           | exact: False | approximate: False")
    assert "dcounts_sum_inv is None" in printed(code[3])
    strip = next(output for output in code[1].outputs if output.output_type == "display_data")
    assert "1 of 26" in strip.data["text/html"]
    assert "q8SA3rM6ckI" in strip.data["text/html"]
    table = code[-1].outputs[-1].data
    assert "<table>" in table["text/html"]
    assert "1 of 26 pass, 1 exact" in table["text/plain"]
    nbformat.write(notebook, path)
    done, out, _ = dojo(live, joined, "submit", path, "--json")
    assert done == 1
    assert json.loads(out)["grade"]["exact"] == 1


def test_the_magics(live: Live, joined: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    cells = [
        "%load_ext dojo",
        "%dojo pull makemore/cross-entropy",
        "import torch\ndlogits = torch.softmax(logits, 1)\ndlogits[range(n), Yb] -= 1\ndlogits /= n",
        "cmp('logits', dlogits, logits)",
        "%dojo check",
        "%dojo status makemore/cross-entropy",
        "%dojo pull makemore/nothing",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    execute(live, joined, notebook)
    assert "approximate: True" in printed(notebook.cells[3])
    assert "1 of 1 pass" in notebook.cells[4].outputs[0].data["text/plain"]
    assert "1 of 1 pass" in printed(notebook.cells[5])
    assert "dojo list" in printed(notebook.cells[6]) or "exercise" in printed(notebook.cells[6])


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server that goes and comes back."""
    with reserved_port() as found:
        yield found


def test_comparisons_made_offline_are_sent_later(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(tmp_path / "config"))
    names: dict[str, Any] = {}
    clock = 0.0
    with served(tmp_path / "data", port) as live:
        assert dojo(live, tmp_path, "join", live.address, live.code, "--name", "Ada")[0] == 0
        exercise = pull(SLUG, timing=Timing(now=lambda: clock))
        exercise.into(names)
    names["dlogprobs"] = torch.zeros_like(names["logprobs"])
    names["dlogprobs"][range(names["n"]), names["Yb"]] = -1.0 / names["n"]
    capsys.readouterr()
    exercise.cmp("logprobs", names["dlogprobs"])
    told = capsys.readouterr().out.splitlines()
    assert "could not be reached. Your answers are kept" in told[0]
    assert told[1].startswith("logprobs        | exact: True")
    clock += 60
    with served(tmp_path / "data", port):
        exercise.cmp("probs", names["dlogprobs"] / names["probs"])
        told = capsys.readouterr().out.splitlines()
        assert told[0] == "Sent 1 answer that waited for the network."
        assert told[1].startswith("probs           | exact: True")
        assert repr(exercise) == f"{SLUG}: 2 of 26 pass"
