"""How often somebody may join."""

from __future__ import annotations

import pytest

from server.pairing.tries import TooManyTries
from server.people.join_limits import JoinLimits


def join(limits: JoinLimits, address: str, code: str) -> None:
    with limits.one(address, code):
        pass


def test_joins_are_counted_by_address() -> None:
    limits = JoinLimits(per_address=2, per_code=9)
    join(limits, "192.0.2.1", "A")
    join(limits, "192.0.2.1", "B")

    with pytest.raises(TooManyTries, match="from your network"):
        join(limits, "192.0.2.1", "C")
    join(limits, "192.0.2.2", "A")


def test_joins_are_counted_by_code_however_it_is_typed() -> None:
    limits = JoinLimits(per_address=9, per_code=2)
    join(limits, "192.0.2.1", "ABCDE-FGHJK")
    join(limits, "192.0.2.2", "abcde fghjk")

    with pytest.raises(TooManyTries, match="with this code"):
        join(limits, "192.0.2.3", "ABCDEFGHJK")
    join(limits, "192.0.2.3", "other")


def test_failed_tries_count_by_the_minute() -> None:
    limits = JoinLimits(failures=2)
    for _ in range(2):
        with pytest.raises(LookupError), limits.one("192.0.2.1", "A"):
            raise LookupError

    with pytest.raises(TooManyTries, match="codes were tried"):
        join(limits, "192.0.2.1", "B")
