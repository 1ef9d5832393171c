"""The limits that a run has when nobody says otherwise."""

from __future__ import annotations

from grader.sandbox import Limits
from grader.sandbox.limits import KIB, MIB


def test_defaults_are_those_of_the_trials() -> None:
    assert Limits() == Limits(
        cpu_seconds=2,
        wall_seconds=5,
        data_bytes=256 * MIB,
        address_bytes=512 * MIB,
        stack_bytes=8 * MIB,
        file_bytes=MIB,
        files=64,
        processes=1,
        stdout_bytes=64 * KIB,
        message_bytes=16 * KIB,
        source_bytes=64 * KIB,
        state_bytes=64 * MIB,
        output_bytes=8 * MIB,
    )
    assert KIB == 1024 and MIB == 1024 * 1024
