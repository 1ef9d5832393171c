"""A small result, and where its parts are, for the tests of those who write and read it."""

from __future__ import annotations

from grader.sandbox import Limits, Slot
from grader.sandbox.result_layout import TABLE_AT, Layout, result_bytes

LIMITS = Limits(stdout_bytes=128, message_bytes=64, output_bytes=4096)
SLOTS = (Slot("x", 256), Slot("empty", 0), Slot("y", 64))
LAYOUT = Layout.of(SLOTS, LIMITS)
SIZE = result_bytes(LIMITS)
TABLE = TABLE_AT
