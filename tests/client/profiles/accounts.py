"""Profiles and a config folder for tests. Needs neither torch nor a server."""

from __future__ import annotations

from pathlib import Path

from dojo.profiles.config import Config, Profile
from dojo.profiles.tokens import TokenStore

ADA = Profile("autumn", "https://dojo.test", "autumn", "7", "Ada")
BOB = Profile("bob", "https://dojo.test", "autumn", "8", "Bob")
EVE = Profile("other", "https://other.test", "spring", "9", "Eve")


def config(folder: Path, keyring: TokenStore | None = None, **environ: str) -> Config:
    """Return the config folder, as a command sees it."""
    return Config({"DOJO_CONFIG_DIR": str(folder), **environ}, keyring)
