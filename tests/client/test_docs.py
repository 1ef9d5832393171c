"""docs/student.md, typed word for word by somebody who has just installed the client."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dojo import notebook as notebook_of_dojo
from dojo.api.responses import WORDS_OF_VERDICTS
from dojo.show.screen import MARKS
from exercises.registry import find
from tests.client.conftest import Live, Student
from tests.client.fake import SLUG
from tests.client.fake_training import FakeTraining
from tests.client.notebooks import notebook
from tests.client.test_live import heed_interrupts
from tests.support.processes import PROJECT as ROOT

TEXT = (ROOT / "docs" / "student.md").read_text(encoding="utf-8")


TRAINED = find("makemore/train").solution
# The right answer, and few enough steps for a test.
TRAIN_BRIEFLY = f"""cat > solution.py <<'EDIT'
{TRAINED}EDIT
dojo train solution.py --steps 24 > trained.txt"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def test_every_command_of_the_five_minutes(live: Live, tmp_path: Path) -> None:
    first, in_a_notebook, *_ = blocks("python")
    commands = "\n".join(blocks("sh"))
    edit = f"""{sys.executable} - <<'EDIT'
from pathlib import Path
path = Path("solution.py")
path.write_text(path.read_text().replace("dlogprobs = None\\n", {first!r}))
EDIT
"""
    install, rest = commands.split("dojo join ", 1)
    assert install.startswith("python3 -m venv dojo-env\n")
    rest = f"dojo join {rest}"
    before, after = rest.split("dojo submit solution.py\n", 1)
    # The student's own torch: the one that the tests run with. It comes last, so the installed client counts.
    site = "$(python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))')"
    install += f"echo '{Path(torch.__file__).parents[1]}' > {site}/zz-torch.pth\n"
    # One right row of 26 is exit code 1, which the text says; everything else must end with 0.
    script = "\n".join(
        (
            "set -e",
            install,
            "dojo --version > version.txt",
            "python -c 'import dojo; print(dojo.__file__)' > place.txt",
            before,
            edit,
            "dojo submit solution.py > first.txt || test $? = 1",
            after.replace("dojo check solution.py", "dojo check solution.py || test $? = 1")
            .replace("dojo open", "BROWSER=true dojo open")
            .replace(
                "dojo submit my_lecture_notebook.ipynb\n",
                "dojo submit my_lecture_notebook.ipynb || test $? = 1\n",
            )
            .replace("dojo train solution.py", TRAIN_BRIEFLY),
        )
    )
    (tmp_path / "full-backward").mkdir()
    mine = tmp_path / "my_lecture_notebook.ipynb"
    mine.write_text(json.dumps(notebook("%matplotlib inline", in_a_notebook)))
    (tmp_path / "full-backward").rmdir()
    script = script.replace("my_lecture_notebook.ipynb", "../my_lecture_notebook.ipynb")
    environ = {**live.environ(tmp_path / "config"), "DOJO_ADDRESS": live.address, "DOJO_CODE": live.code}
    environ["PATH"] = only_python3(tmp_path / "bin")
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = (tmp_path / "full-backward" / "first.txt").read_text()
    assert "".join(re.findall(r"^    ((?:\[█|1 more|logprobs ).*\n)", TEXT, re.MULTILINE)) in shown
    trained = (tmp_path / "train" / "trained.txt").read_text()
    assert "step 24 of 24" in trained and "Names that your network makes up" in trained
    assert (tmp_path / "version.txt").read_text() == f"dojo, version {version('backprop-dojo-client')}\n"
    assert (tmp_path / "place.txt").read_text().startswith(str(tmp_path / "dojo-env"))


def only_python3(folder: Path) -> str:
    """Return a PATH with a python3 that has nothing installed, as on a new machine. Debian's is externally managed."""
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    return os.pathsep.join((str(folder), "/usr/bin", "/bin"))


def typed(live: Live, folder: Path, *words: str, stdin: str = "") -> tuple[int, str]:
    environ = live.environ(folder / "config")
    done = subprocess.run(
        ["dojo", *words], cwd=folder, env=environ, capture_output=True, text=True, check=False, input=stdin
    )
    return done.returncode, done.stdout + done.stderr


def test_every_command_of_the_running_text(live: Live, tmp_path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", TEXT, flags=re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"`(dojo [^`]*)`", text)) == {
        "dojo show NUMBER",
        "dojo submissions show NUMBER --code",
        "dojo restore NUMBER",
        "dojo hint",
        "dojo submit --all",
        "dojo submit",
        "dojo watch",
        "dojo watch solution.py",
        "dojo check",
        "dojo join …",
        "dojo pair",
        "dojo pair --token",
        "dojo login --code",
        "dojo profile",
        "dojo pull",
        "dojo train --follow",
        "dojo train --cancel",
        "dojo train --history",
        "dojo train --ranking",
    }
    assert typed(live, tmp_path, "join", live.address, live.code, "--name", "Ada")[0] == 0
    assert "in your account" in typed(live, tmp_path, "join", live.address, live.code)[1]
    assert "* autumn: Ada in autumn" in typed(live, tmp_path, "profile")[1]
    folder = tmp_path / "cross-entropy"
    assert typed(live, tmp_path, "pull", "makemore/cross-entropy")[0] == 0
    (tmp_path / "config").rename(folder / "config")
    assert typed(live, folder, "check")[0] == 1
    watching = subprocess.Popen(
        ["dojo", "watch", "solution.py"],
        cwd=folder,
        env=live.environ(folder / "config"),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert watching.stdout is not None
    assert any("0 of 1 pass" in line for line in iter(watching.stdout.readline, ""))
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=180)
    number = str(json.loads(typed(live, folder, "history", "--json")[1])["submissions"][0]["id"])
    assert "0 of 1 pass" in typed(live, folder, "show", number)[1]
    assert "dlogits = None" in typed(live, folder, "submissions", "show", number, "--code")[1]
    assert "is submission" in typed(live, folder, "restore", number)[1]
    assert "No run yet." in typed(live, folder, "train", "--history")[1]
    assert "Nobody is in the ranking yet." in typed(live, folder, "train", "--ranking")[1]
    for mode in ("--follow", "--cancel"):
        code, told = typed(live, folder, "train", mode)
        assert code == 2 and "dojo train FILE" in told
    assert typed(live, folder, "hint") == (0, "There is no mistake of your own. Go on with dlogits.\n")
    assert "None is not a tensor" in typed(live, folder, "submit", "--all")[1]
    token = next(iter(json.loads((folder / "config" / "tokens.json").read_text()).values()))
    code = json.loads(typed(live, folder, "pair", "--json")[1])["code"]
    assert typed(live, folder, "pair", "--token")[1].startswith("dojo_")
    assert typed(live, folder, "logout")[0] == 0
    assert typed(live, folder, "login", live.address, stdin=token)[0] == 0
    assert typed(live, folder, "logout")[0] == 0
    # `pair --token` replaced the code, and used its own.
    assert "dojo pair" in typed(live, folder, "login", live.address, "--code", code)[1]
    assert typed(live, folder, "login", live.address, stdin=token)[0] == 0
    assert typed(live, folder, "pull")[0] == 0


def test_the_notebook_of_the_text(live: Live, tmp_path: Path) -> None:
    environ = live.environ(tmp_path / "config")
    join = ["dojo", "join", live.address, live.code, "--name", "Ada"]
    subprocess.run(join, cwd=tmp_path, env=environ, check=True, capture_output=True)
    _, code, check, _ = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint({check.strip()})"],
        cwd=tmp_path,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    line = "logprobs        | exact: True  | approximate: True  | maxdiff: 0.0"
    assert done.stdout.splitlines()[1:3] == [line, line]
    assert done.stdout.splitlines()[-1] == "1 of 26 pass, 1 exact"


def backward(state: dict[str, Any]) -> dict[str, Any]:
    return {"C": state["C"]}


def test_the_notebook_that_trains(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    student.join()
    student.fake.before = training = FakeTraining()
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(student.config))
    *_, cell = blocks("python")
    opened = SimpleNamespace(exercise=partial(notebook_of_dojo.exercise, network=student.fake.network))
    code = cell.replace("import dojo\n", "").replace("makemore/train", SLUG)

    exec(code, {"dojo": opened, "backward": backward})

    (asked,) = training.sources
    assert (asked["steps"], asked["schedule"]) == (50_000, [[0, 0.1], [40_000, 0.01]])
    assert "def backward(state" in asked["source"]


def test_the_page_names_the_version_of_the_client() -> None:
    assert set(re.findall(r"backprop_dojo_client-([\d.]+)-py3", TEXT)) == {version("backprop-dojo-client")}


def test_the_page_has_every_mark_with_its_word() -> None:
    table = dict(re.findall(r"^\| (\S) \| ([a-z ]+?) \|", TEXT, re.MULTILINE))
    assert set(table) == {letter for letter, _ in MARKS.values()}
    words = {"exact", "rounding", *(word for word in WORDS_OF_VERDICTS.values() if ":" not in word)}
    assert words | {"wrong here", "inherited", "here or above"} == set(table.values())


@pytest.mark.parametrize("path", ["docs/student.md", "client/README.md"])
def test_every_command_that_is_named_is_there(path: str) -> None:
    from dojo.cli import cli

    named = set(re.findall(r"`?dojo ([a-z]+)\b", (ROOT / path).read_text(encoding="utf-8")))
    assert named
    assert named <= set(cli.commands)
