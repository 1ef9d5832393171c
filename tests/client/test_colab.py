"""The cell for Colab in docs/student.md, run in a kernel with Colab's modules, against a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import Live
from tests.client.test_live import dojo, execute, printed
from tests.support.processes import PROJECT

TEXT = (PROJECT / "docs" / "student.md").read_text(encoding="utf-8")
[CELL] = re.findall(r"^```ipython\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
WITH_CODE = 'dojo.login("https://dojo.example.org", code="K7QF2-9TXMD")'
[WITH_SECRET] = re.findall(r'`(dojo\.login\("[^`]*"\))`', TEXT)
FIRST_STEP = (
    "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0 / n\ncmp('logprobs', dlogprobs, logprobs)"
)

# The module of Colab, whose secrets are in a file beside it.
USERDATA = """
import json, pathlib

class SecretNotFoundError(Exception): ...
class NotebookAccessError(Exception): ...

def get(name):
    secrets = json.loads((pathlib.Path(__file__).parent / "secrets.json").read_text())
    if name not in secrets:
        raise SecretNotFoundError(name)
    return secrets[name]
"""


@pytest.fixture
def at_home(live: Live, tmp_path: Path) -> Path:
    """The folder of a student who has joined at home."""
    (tmp_path / "home").mkdir()
    assert dojo(live, tmp_path / "home", "join", live.address, live.code, "--name", "Ada")[0] == 0
    return tmp_path / "home"


@pytest.fixture
def colab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty machine of Colab, and the file of its secrets."""
    package = tmp_path / "colab-packages" / "google" / "colab"
    package.mkdir(parents=True)
    (package / "userdata.py").write_text(USERDATA)
    (package / "secrets.json").write_text("{}")
    (tmp_path / "content").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "colab-packages"))
    return package / "secrets.json"


def run(live: Live, secrets: Path, *cells: str) -> list[Any]:
    """Run cells in a kernel of that machine. The client is installed already, so its line is left out."""
    nbformat = pytest.importorskip("nbformat")
    sources = [re.sub(r"^%pip .*\n", "", each).replace("https://dojo.example.org", live.address) for each in cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in sources])
    execute(live, secrets.parents[3] / "content", notebook)
    return list(notebook.cells)


def test_the_cell_installs_from_the_server() -> None:
    assert CELL.startswith("%pip install -q https://dojo.example.org/client.tar.gz\nimport dojo\n")


def test_one_cell_signs_in_with_a_code_and_pulls(live: Live, at_home: Path, colab: Path) -> None:
    code = json.loads(dojo(live, at_home, "pair", "--json")[1])["code"]
    cell = CELL.replace("K7QF2-9TXMD", code)

    setup, again, step = run(live, colab, cell, cell, FIRST_STEP)

    assert printed(setup).startswith("You are Ada, in autumn.\n")
    assert printed(again) == printed(setup)
    assert "exact: True" in printed(step)
    attempts = json.loads(dojo(live, at_home, "history", "--json")[1])["submissions"]
    assert len(attempts) == 1


def test_one_cell_signs_in_with_colabs_secret(live: Live, at_home: Path, colab: Path) -> None:
    token = dojo(live, at_home, "pair", "--token")[1].strip()
    colab.write_text(json.dumps({"DOJO_TOKEN": token}))
    assert WITH_CODE in CELL

    setup, step = run(live, colab, CELL.replace(WITH_CODE, WITH_SECRET), FIRST_STEP)

    assert printed(setup).startswith("You are Ada, in autumn.\n")
    assert "exact: True" in printed(step)


def test_a_secret_that_is_not_there_says_what_to_do(live: Live, at_home: Path, colab: Path) -> None:
    nbclient = pytest.importorskip("nbclient")

    with pytest.raises(nbclient.exceptions.CellExecutionError, match="dojo pair where you are signed in"):
        run(live, colab, CELL.replace(WITH_CODE, WITH_SECRET))
