"""Profiles: stored, chosen and removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dojo import errors
from tests.client.profiles.accounts import ADA, BOB, EVE, config


def test_profiles_are_kept_and_the_last_is_in_use(tmp_path: Path) -> None:
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


def test_the_profile_that_fits_a_folder_best_is_used(tmp_path: Path) -> None:
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


def test_a_file_of_something_else_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text("[1]")
    assert config(tmp_path).profiles() == {}


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
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
