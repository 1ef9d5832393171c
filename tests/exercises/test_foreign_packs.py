"""The folder of a pack that is not installed: nothing of it is run as Python, and it leads to no other file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exercises import folder, registry
from exercises.errors import PackError
from tests.support.packs import write_pack

PARTS = """
[[x]]
name = "the part"
code = "__import__('os').getpid()"
about = "It is there."
turned = "It is turned."
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Return the folder of a pack."""
    return write_pack(tmp_path / "squares")


def test_parts_are_refused(pack: Path) -> None:
    (pack / "a_square" / "parts.toml").write_text(PARTS)

    with pytest.raises(PackError, match=r"parts\.toml holds Python"):
        registry.load([], [pack])


def test_numbers_are_refused_before_they_are_imported(pack: Path) -> None:
    settings = pack / "a_square" / "exercise.toml"
    settings.write_text(f'{settings.read_text()}\nnumbers = "exercises.makemore.network:MAKEMORE"')

    with pytest.raises(PackError, match="numbers imports Python"):
        registry.load([], [pack])


def test_lines_are_bounded(pack: Path) -> None:
    (pack / "a_square" / "forward.py").write_text("y = x * x + torch.zeros(2**24, 1).sum()\nloss = y.sum() / n")

    with pytest.raises(PackError, match=r"a tensor has more than 4,194,304 elements"):
        registry.load([], [pack])


@pytest.mark.parametrize("name", ["../other/a_square", "/etc", "..", "", "a b"])
def test_a_name_that_leads_out_of_the_pack_is_refused(pack: Path, name: str) -> None:
    write_pack(pack.parent / "other")
    file = pack / "pack.toml"
    file.write_text(file.read_text().replace('["a_square"]', f'["a_square", "{name}"]'))

    with pytest.raises(PackError, match="is no folder of this pack"):
        folder.load_pack(pack)


def test_a_name_that_is_no_string_is_refused(pack: Path) -> None:
    file = pack / "pack.toml"
    file.write_text(file.read_text().replace('["a_square"]', '["a_square", 1]'))

    with pytest.raises(PackError, match="1 is no folder of this pack"):
        folder.load_pack(pack)


def test_a_link_that_leads_out_of_the_pack_is_refused(pack: Path) -> None:
    secret = pack.parent / "secret"
    secret.write_text("the server's secret")
    (pack / "a_square" / "hints.md").symlink_to(secret)

    with pytest.raises(PackError, match=r"hints\.md leads out of the pack"):
        folder.load_pack(pack)


def test_a_link_within_the_pack_is_followed(pack: Path) -> None:
    (pack / "a_square" / "statement.md").rename(pack / "text.md")
    (pack / "a_square" / "statement.md").symlink_to("../text.md")

    assert folder.load_pack(pack).exercises[0].statement == "Derive dx."


def test_what_is_no_file_is_refused(pack: Path) -> None:
    os.mkfifo(pack / "a_square" / "hints.md")

    with pytest.raises(PackError, match=r"hints\.md is no file"):
        folder.load_pack(pack)


def test_a_long_file_is_refused(pack: Path) -> None:
    (pack / "a_square" / "hints.md").write_text("a" * (folder.TEXT_BYTES_MAX + 1))

    with pytest.raises(PackError, match=r"hints\.md has more than 1024 KiB"):
        folder.load_pack(pack)
