"""Profiles: stored, chosen and removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dojo import errors
from tests.client.profiles.accounts import ADA, BOB, EVE, config


def test_the_last_profile_is_in_use(tmp_path: Path) -> None:
    for profile in (ADA, EVE):
        config(tmp_path).add(profile, profile.student)
    assert config(tmp_path).profile() == EVE
    config(tmp_path).use("autumn")
    assert config(tmp_path).profile() == ADA
    assert config(tmp_path, DOJO_PROFILE="other").profile() == EVE
    config(tmp_path).remove(ADA)
    assert config(tmp_path).profiles() == {"other": EVE}
    assert config(tmp_path).profile() == EVE
    config(tmp_path).remove(EVE)
    assert config(tmp_path).profile() is None


def test_the_best_profile_is_chosen(tmp_path: Path) -> None:
    spring = replace(ADA, name="spring", course="spring")
    for profile in (ADA, spring, BOB):
        config(tmp_path).add(profile, profile.name)
    here = config(tmp_path)
    assert here.best_profile(ADA.server, "spring", "7") == spring
    assert here.best_profile(ADA.server, "autumn", "7") == ADA
    assert here.best_profile(ADA.server, "spring", "8") == BOB
    assert here.best_profile(ADA.server) == BOB
    here.use("spring")
    assert here.best_profile(ADA.server) == spring
    assert here.best_profile("https://nowhere.test") is None


def test_a_profile_has_the_name_of_its_course(tmp_path: Path) -> None:
    assert config(tmp_path).new_name("autumn", "https://dojo.test") == "autumn"
    config(tmp_path).add(ADA, "secret")
    assert config(tmp_path).new_name("autumn", "https://dojo.test") == "autumn"
    assert config(tmp_path).new_name("autumn", "https://other.test") == "autumn@other.test"


def test_a_file_without_an_object_is_empty(tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text("[1]")
    assert config(tmp_path).profiles() == {}


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "tokens.json" / "full").mkdir(parents=True)
    with pytest.raises(errors.BadFile):
        config(tmp_path).add(ADA, "secret")
    (tmp_path / "exercises.json" / "full").mkdir(parents=True)
    with pytest.raises(OSError):  # noqa: PT011 (which one it is depends on the system)
        config(tmp_path).store_exercises(["a/b"])
    assert {each.name for each in tmp_path.iterdir()} == {"tokens.json", "exercises.json"}


def test_a_damaged_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text("{")
    with pytest.raises(errors.BadFile, match="dojo join"):
        config(tmp_path).profiles()
