"""Proxies, locales and words that are typed the wrong way round: a sentence each, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.conftest import Student
from tests.client.fake import ADDRESS, SLUG, TOKEN

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def dojo(folder: Path, *words: str | bytes, **environ: str) -> tuple[int, str, str]:
    """Run the program in a process of its own, with nothing of this one's surroundings."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DOJO_", "LC_", "PYTHON")) and name.upper() not in PROXIES and name != "LANG"
    }
    environ = {**plain, "DOJO_CONFIG_DIR": str(folder / "config"), "LANG": "C.UTF-8", **environ}
    command = [sys.executable, "-c", "from dojo.cli import main; main()", *words]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False, timeout=180)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert "Traceback" not in out + err
    return done.returncode, out, err


def test_a_socks_proxy_says_which_package_it_needs(tmp_path: Path) -> None:
    code, _, err = dojo(
        tmp_path, "join", "http://dojo.test", "C", "--name", "Ada", ALL_PROXY="socks5://u:p@127.0.0.1:9"
    )
    assert code == 2
    assert "The proxy 127.0.0.1:9 is a SOCKS proxy, for which a package is missing." in err
    assert "pip install 'httpx2[socks]'" in err
    assert "u:p" not in err


@pytest.mark.parametrize("proxy", ["gopher://x:1", "http://[::1", "http://x:port"])
def test_a_proxy_that_is_no_address_is_explained(tmp_path: Path, proxy: str) -> None:
    code, _, err = dojo(tmp_path, "join", "http://dojo.test", "C", "--name", "Ada", HTTP_PROXY=proxy)
    assert code in (2, 3)
    assert "proxy" in err.lower()


def test_a_dead_proxy_is_named(tmp_path: Path) -> None:
    code, _, err = dojo(tmp_path, "list", DOJO_SERVER="http://dojo.test", DOJO_TOKEN=TOKEN, HTTP_PROXY=NOBODY)
    assert code == 3
    assert f"http://dojo.test could not be reached through the proxy {NOBODY}." in err
    assert "NO_PROXY" in err


def test_a_server_past_the_proxy_is_not_blamed_on_it(tmp_path: Path) -> None:
    environ = {"DOJO_SERVER": NOBODY, "DOJO_TOKEN": TOKEN, "HTTP_PROXY": NOBODY, "NO_PROXY": "127.0.0.1"}
    code, _, err = dojo(tmp_path, "list", **environ)
    assert (code, "through the proxy" in err) == (3, False)


def test_missing_certificates_are_explained(tmp_path: Path) -> None:
    code, _, err = dojo(tmp_path, "list", DOJO_SERVER=ADDRESS, DOJO_TOKEN=TOKEN, SSL_CERT_FILE="/nowhere.pem")
    assert (code, "SSL_CERT_FILE" in err) == (2, True)


@pytest.mark.parametrize(
    "address", ["https://exa mple", "https://x..y", "http://[::1", "https://\u202eevil", "a" * 300]
)
def test_an_address_that_is_none_is_explained(tmp_path: Path, address: str) -> None:
    code, _, err = dojo(tmp_path, "join", address, "CODE", "--name", "Ada")
    assert code in (2, 3)
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
def test_a_name_that_the_locale_has_no_letters_for(tmp_path: Path, locale: dict[str, str]) -> None:
    script = """if True:
        import sys
        from dojo.cli import typed_text, cli
        import dojo.cli, dojo.commands.context
        from tests.client.fake import FakeDojo
        fake = FakeDojo()
        make = dojo.commands.context.Context
        dojo.cli.Context = lambda config: make(config, network=fake.network)
        sys.argv = ["dojo", *sys.argv[1:]]
        try:
            dojo.cli.main()
        finally:
            assert b"Zo\\\\u00eb" in fake.requests[0].content or "Zoë".encode() in fake.requests[0].content
    """
    (tmp_path / "run.py").write_text("# -*- coding: utf-8 -*-\n" + script, encoding="utf-8")
    environ = {**os.environ, "DOJO_CONFIG_DIR": str(tmp_path / "config"), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "run.py", "join", "dojo.test", "CODE", "--name", "Zoë"]
    done = subprocess.run(
        [os.fsencode(word) if word.isascii() else word.encode() for word in command],
        cwd=tmp_path,
        env=environ | locale,
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert b"Welcome, Zo" in done.stdout


@pytest.fixture
def pulled(student: Student) -> Student:
    student.join()
    assert student.type("pull", SLUG, "--to", "My Folder")[0] == 0
    return student


@pytest.mark.parametrize("command", ["submit", "check", "watch"])
def test_an_unquoted_folder_is_told_to_be_quoted(pulled: Student, command: str) -> None:
    code, _, err = pulled.type(command, "My", "Folder/solution.py")
    assert code == 2
    assert err.endswith(f"Put it in quotes: dojo {command} 'My Folder/solution.py'\n")


@pytest.mark.parametrize("command", ["submit", "watch"])
@pytest.mark.parametrize("words", [(SLUG, "a.py"), ("a.py", SLUG)])
def test_an_exercise_beside_the_file_is_told_apart(pulled: Student, command: str, words: tuple[str, str]) -> None:
    Path("a.py").write_text("dcounts = 1")
    code, _, err = pulled.type(command, *words)
    assert code == 2
    assert err.endswith(f"Type: dojo {command} a.py --exercise {SLUG}\n")


@pytest.mark.parametrize("command", ["submit", "watch", "check"])
def test_an_exercise_in_place_of_the_file_is_told(pulled: Student, command: str) -> None:
    code, _, err = pulled.type(command, SLUG)
    assert (code, err.count("looks like an exercise")) == (2, 1)
    assert err.endswith(f"Go into its folder, and type: dojo {command} solution.py\n")


def test_a_file_that_is_not_there_is_no_exercise(pulled: Student) -> None:
    code, _, err = pulled.type("submit", "full-backward/solution.py")
    assert (code, err.splitlines()[0]) == (2, "There is no full-backward/solution.py.")


def test_several_files_are_refused_with_a_next_step(pulled: Student) -> None:
    code, _, err = pulled.type("submit", "a.py", "b.py", "c.py")
    assert code == 2
    assert "takes one file, and here are 3: a.py, b.py, c.py." in err


def test_a_join_code_before_the_address_is_told(student: Student) -> None:
    code, _, err = student.type("join", "K7QF-2MXD", "https://dojo.test", "--name", "Ada")
    assert code == 2
    assert err.endswith("Type: dojo join https://dojo.test K7QF-2MXD --name Ada\n")
    assert not student.fake.requests


def test_a_printed_command_can_be_typed(pulled: Student) -> None:
    os.chdir("My Folder")
    Path("my answer.py").write_text("dcounts = n / counts\n")
    out = pulled.type("check", "my answer.py")[1]
    assert out.endswith("dojo submit 'my answer.py'\n")
