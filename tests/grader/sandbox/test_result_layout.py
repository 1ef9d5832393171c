"""Offsets and sizes of a result."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.answer import MOST_DIMENSIONS
from grader.sandbox import Slot, result_layout
from grader.sandbox.result_layout import ENTRY, Layout, result_bytes
from tests.grader.sandbox.results import LIMITS, TABLE


def test_slots_that_do_not_fit_are_refused() -> None:
    assert len(Layout.of([Slot("x", 0)] * 128, LIMITS).data_at) == 128
    with pytest.raises(ValueError, match="129 answers asked for; at most 128 fit"):
        Layout.of([Slot("x", 0)] * 129, LIMITS)
    with pytest.raises(ValueError, match="negative capacity"):
        Layout.of([Slot("x", -1)], LIMITS)
    with pytest.raises(ValueError, match="need 4160 bytes and the limit is 4096"):
        Layout.of([Slot("x", 4096), Slot("y", 1)], LIMITS)


def test_parts_of_a_layout_do_not_overlap() -> None:
    layout = Layout.of([Slot("a", 1), Slot("b", 65), Slot("c", 64), Slot("d", 0)], LIMITS)

    table_end = TABLE + 128 * ENTRY.size
    assert table_end <= layout.stdout_at and layout.stdout_at + 128 <= layout.message_at
    assert layout.message_at + 64 <= layout.data_at[0]
    assert [at - layout.data_at[0] for at in layout.data_at] == [0, 64, 192, 256]
    assert result_bytes(LIMITS) >= layout.data_at[0] + LIMITS.output_bytes


def test_both_sides_have_the_same_dimensions() -> None:
    assert result_layout.DIMENSIONS_MAX == MOST_DIMENSIONS


def test_shared_files_need_no_torch() -> None:
    program = (
        "import sys\n"
        "from grader.sandbox import Job, job, limits, protocol, result_layout, zygote_command\n"
        "from grader.sandbox.locks import jail\n"
        "print({'torch', 'numpy', 'grader.answer', 'grader.sandbox.trusted'} & set(sys.modules))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout == "set()\n"
