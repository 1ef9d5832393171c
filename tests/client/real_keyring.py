"""The token in a real keyring, by the package `keyring` and a backend of `keyrings.alt`. Run by `make client-test`."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail
from keyrings.alt.file import PlaintextKeyring

from dojo.profiles.config import Config, Profile
from dojo.profiles.tokens import system_keyring

ADA = Profile("autumn", "https://dojo.test", "autumn", "7", "Ada")


def config(folder: Path) -> Config:
    return Config({"DOJO_CONFIG_DIR": str(folder)}, system_keyring())


def test_another_process_finds_the_token_in_the_keyring(tmp_path: Path) -> None:
    backend = PlaintextKeyring()
    backend.file_path = str(tmp_path / "ring")
    keyring.set_keyring(backend)
    assert config(tmp_path).add(ADA, "secret") == "your system's keyring"
    assert not (tmp_path / "tokens.json").exists()
    look = (
        "import keyring, keyrings.alt.file as file\n"
        f"ring = file.PlaintextKeyring(); ring.file_path = {backend.file_path!r}; keyring.set_keyring(ring)\n"
        "print(keyring.get_password('backprop-dojo', 'https://dojo.test#7'))"
    )
    found = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert found.stdout == "secret\n"
    config(tmp_path).remove(ADA)
    assert config(tmp_path).token(ADA) is None


def test_a_broken_keyring_gives_way_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = PlaintextKeyring()
    backend.file_path = str(tmp_path / "missing" / "\0")
    monkeypatch.setattr(backend, "set_password", backend._ensure_file_path)
    keyring.set_keyring(backend)
    assert "tokens.json" in config(tmp_path).add(ADA, "secret")
    assert config(tmp_path).token(ADA) == "secret"


def test_no_backend_is_no_keyring() -> None:
    keyring.set_keyring(fail.Keyring())
    assert system_keyring() is None
