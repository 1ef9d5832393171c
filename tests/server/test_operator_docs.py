"""docs/operator.md: its settings, limits and sentences are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.supervision import Backoff
from server.database import outage
from server.http.connection import ConnectionLimits
from server.http.middleware import JSON_BYTES_MAX, TENSORS_BYTES_MAX
from server.http.token_gate import STRANGERS_BODY_BYTES_MAX
from server.operations.probe import PROBE_BYTES

TEXT = (Path(__file__).parents[2] / "docs" / "operator.md").read_text(encoding="utf-8")


def test_the_limits_are_those_that_are_documented() -> None:
    limits, kib = ConnectionLimits(), 1024
    documented = {
        "a request line or a header line": f"{limits.line_bytes_max // kib} KiB",
        "header lines of a request": f"{limits.lines_max}, together {limits.head_bytes_max // kib} KiB",
        "a body without a token (joining)": f"{STRANGERS_BODY_BYTES_MAX // kib} KiB",
        "a body with a token": f"{TENSORS_BYTES_MAX // kib**2} MiB of tensors, {JSON_BYTES_MAX // kib} KiB of JSON",
        "from a connection to complete headers": f"{limits.head_seconds:g} s",
        "from there to a complete body": f"{limits.body_seconds:g} s",
        "the rest of a body after an early answer": f"{limits.drain_seconds:g} s",
        "an answer that is not read": f"{limits.write_seconds:g} s",
    }

    for what, limit in documented.items():
        assert f"| {what} | {limit} |" in TEXT
    backoff = Backoff()
    assert f"after {backoff.first_seconds:g} s at first and after {backoff.longest_seconds:g} s at last" in TEXT
    assert f"writes {PROBE_BYTES // kib} KiB" in TEXT


@pytest.mark.parametrize("reason", [outage.FULL, outage.AWAY, outage.REFUSED, outage.READ_ONLY, outage.DAMAGED])
def test_what_is_said_of_an_outage_is_in_the_table(reason: str) -> None:
    assert f"`{reason.partition(';')[0]}`" in TEXT
