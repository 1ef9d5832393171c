"""What a process holds, as its kernel tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.zygote.memory import held_bytes


@pytest.mark.parametrize(
    ("status", "kib"),
    [
        ("VmRSS:\t900 kB\nRssAnon:\t500 kB\nRssFile:\t400 kB\nVmPTE:\t30 kB\n", 530),
        ("VmSize:\t22348 kB\nVmRSS:\t14408 kB\nVmData:\t6380 kB\n", 6380),  # gVisor
        ("State:\tZ (zombie)\n", 0),
    ],
)
def test_page_tables_count_and_gvisor_tells_mappings(tmp_path: Path, status: str, kib: int) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text(status)

    assert held_bytes(7, str(tmp_path)) == kib * 1024
    assert held_bytes(8, str(tmp_path)) == 0
