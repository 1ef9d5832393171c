"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dojo.files import atomic


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize(
    ("private", "umask", "mode"), [(True, 0o022, 0o600), (False, 0o022, 0o644), (False, 0o077, 0o600)]
)
def test_a_new_file_has_an_ordinary_mode(tmp_path: Path, private: bool, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        atomic.write(tmp_path / "a", b"x", private=private)
    finally:
        after = os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode
    assert after == umask


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a longer text")
    atomic.write(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(TypeError):
        atomic.write(tmp_path / "a", "no bytes")  # type: ignore[arg-type]  # an error in the middle of it
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
