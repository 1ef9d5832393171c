"""The client alone in an empty environment of each Python on this machine, as a student without torch uses it.

Takes minutes: `make client-test`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from exercises.registry import find
from tests.client.conftest import Live
from tests.client.notebooks import notebook
from tests.support.processes import PROJECT as ROOT

SLUG = "makemore/full-backward"
SERVERS = {"fastapi", "pydantic", "sqlmodel", "sqlalchemy", "uvicorn", "torch", "numpy", "backprop-dojo"}
# What needs neither torch nor a server, and the keyring, which is an extra.
STANDALONE = (
    "api/test_responses.py",
    "show/test_brief.py",
    "show/test_grades.py",
    "show/test_screen.py",
    "test_text.py",
    "notebook_slice/test_cells.py",
    "profiles/test_config.py",
    "profiles/test_tokens.py",
    "real_keyring.py",
)


def python(minor: int) -> str | None:
    """The program of Python 3.minor: the one that runs the tests, the newest that pyenv has, or the one on the path."""
    if minor == sys.version_info.minor:
        return sys.executable
    kept = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
    return str(kept[-1]) if kept else shutil.which(f"python3.{minor}")


@dataclass(frozen=True)
class Installed:
    scripts: Path
    environ: dict[str, str]
    folder: Path

    def run(self, *words: str | Path) -> tuple[int, str, str]:
        command = [str(self.scripts / words[0]), *map(str, words[1:])]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False, timeout=300
        )
        return done.returncode, done.stdout, done.stderr

    def must(self, *words: str | Path) -> str:
        code, out, err = self.run(*words)
        assert code == 0, f"{words}: {out}{err}"
        return out


@pytest.fixture(scope="module", params=range(10, 15), ids=lambda minor: f"3.{minor}")
def scripts(request: pytest.FixtureRequest, live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the client alone. Its tests share it, and come in the order of this file."""
    program = python(request.param)
    if program is None:
        pytest.skip(f"there is no Python 3.{request.param} on this machine")
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([program, "-m", "venv", folder], check=True)
    pip = str(folder / "bin" / "pip")
    subprocess.run([pip, "install", "--quiet", wheel_address(live)], env=os.environ | {"PYTHONPATH": ""}, check=True)
    return folder / "bin"


@pytest.fixture
def installed(scripts: Path, live: Live, tmp_path: Path) -> Installed:
    """A student in a folder of their own."""
    environ = live.environ(tmp_path / "config")
    environ |= {"PATH": os.pathsep.join((str(scripts), environ["PATH"])), "PYTHONPATH": ""}
    (tmp_path / "work").mkdir()
    return Installed(scripts, environ, tmp_path / "work")


def wheel_address(live: Live) -> str:
    """Return the address that the server's page tells students to install."""
    with urllib.request.urlopen(f"{live.address}/client") as page:
        (address,) = re.findall(r"^    pip install (\S+)$", page.read().decode(), re.MULTILINE)
    return str(address)


def test_a_student_without_torch(installed: Installed, live: Live) -> None:
    packages = {each["name"].lower() for each in json.loads(installed.must("pip", "list", "--format=json"))}
    assert not packages & SERVERS
    assert "Exit codes" in installed.must("dojo", "--help")
    installed.must("dojo", "join", live.address, live.code, "--name", "Ada")
    assert SLUG in installed.must("dojo", "list")
    installed.must("dojo", "pull", SLUG)
    folder = installed.folder / "full-backward"
    code, _, err = installed.run("dojo", "check", folder)
    assert code == 2
    assert "pip install torch" in err
    (folder / "solution.py").write_text(find(SLUG).solution)
    assert "26 of 26 pass, 26 exact" in installed.must("dojo", "submit", folder)
    assert installed.must("dojo", "submit", folder, "--all").count("| exact: True  | approximate: True  |") == 26
    lecture = folder / "lecture.ipynb"
    lecture.write_text(json.dumps(notebook("%matplotlib inline", find(SLUG).solution, "for k in range(")))
    assert json.loads(installed.must("dojo", "submit", lecture, "--json"))["grade"]["exact"] == 26
    tensors = installed.folder / "answers.safetensors"
    script = (
        "import sys, safetensors.torch, torch; from dojo.tensors import load; "
        "s = load(open(sys.argv[1], 'rb').read()); "
        "safetensors.torch.save_file({'dlogprobs': torch.zeros_like(s['logprobs'])}, sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", script, folder / "state.safetensors", tensors], check=True)
    shutil.copy(tensors, folder)
    code, out, _ = installed.run("dojo", "check", folder / "answers.safetensors")
    assert (code, out.count("| fits")) == (1, 1)
    assert installed.run("dojo", "submit", folder / "answers.safetensors")[0] == 1
    assert "answers" not in installed.must("dojo", "history", "--limit", "1")
    assert json.loads(installed.must("dojo", "open", SLUG, "--json"))["url"].startswith("https://")
    assert "26 of 26 pass" in installed.must("dojo", "status", SLUG)
    newest = json.loads(installed.must("dojo", "history", "--json"))["submissions"][-1]["id"]
    assert "26 of 26 pass" in installed.must("dojo", "show", str(newest))
    installed.must("dojo", "completion", "zsh")
    installed.must("dojo", "logout")


def test_torch_free_tests_pass_here(installed: Installed) -> None:
    installed.must("pip", "install", "--quiet", "pytest", "keyring", "keyrings.alt")
    environ = installed.environ | {"PYTHONPATH": str(ROOT)}
    files = [ROOT / "tests" / "client" / name for name in STANDALONE]
    standalone = Installed(installed.scripts, environ, installed.folder)
    said = standalone.must("pytest", "--noconftest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", *files)
    assert "failed" not in said
    assert "skipped" not in said
    print(said.splitlines()[-1])


def test_a_read_only_copy_installs_and_stays_as_it_was(installed: Installed, tmp_path: Path) -> None:
    copy = tmp_path / "client"
    shutil.copytree(ROOT / "client", copy, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    before = sorted(copy.rglob("*"))
    for path in (*before, copy):
        path.chmod(path.stat().st_mode & 0o555)
    installed.must("pip", "install", "--quiet", "--force-reinstall", "--no-deps", copy)
    assert installed.must("dojo", "--version").startswith("dojo, version ")
    assert sorted(copy.rglob("*")) == before  # root may write everywhere, and nothing was written


def test_the_address_without_a_version_installs(installed: Installed, live: Live) -> None:
    installed.must("pip", "install", "--quiet", "--force-reinstall", "--no-deps", f"{live.address}/client.tar.gz")
    assert installed.must("dojo", "--version").startswith("dojo, version ")
