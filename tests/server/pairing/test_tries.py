"""Tries of pairing codes: counted by address and in all, until they succeed."""

from __future__ import annotations

import pytest

from server.pairing.tries import TooManyTries, Tries, network_of


class Clock:
    """A time that passes when a test says so."""

    moment = 100.0

    def __call__(self) -> float:
        return self.moment


def fail(tries: Tries, address: str = "192.0.2.1") -> None:
    with pytest.raises(LookupError), tries.one(address):
        raise LookupError


def test_an_address_may_fail_so_often_in_a_minute() -> None:
    clock = Clock()
    tries = Tries(per_address=2, in_all=9, now=clock)
    fail(tries)
    clock.moment += 20
    fail(tries)
    clock.moment += 20

    with pytest.raises(TooManyTries) as refused, tries.one("192.0.2.1"):
        pass
    assert refused.value.headers == {"Retry-After": "20"}
    assert "Wait 20 s" in refused.value.detail

    fail(tries, "192.0.2.2")
    clock.moment += 20
    fail(tries)
    with pytest.raises(TooManyTries) as refused, tries.one("192.0.2.1"):
        pass
    assert refused.value.headers == {"Retry-After": "20"}


def test_all_addresses_together_may_fail_so_often() -> None:
    tries = Tries(per_address=2, in_all=3, now=Clock())
    for last in range(3):
        fail(tries, f"192.0.2.{last}")

    with pytest.raises(TooManyTries) as refused, tries.one("192.0.2.99"):
        pass
    assert refused.value.headers == {"Retry-After": "60"}


def test_a_pause_is_rounded_up() -> None:
    clock = Clock()
    tries = Tries(per_address=1, in_all=9, now=clock)
    fail(tries)
    clock.moment += 59.5

    with pytest.raises(TooManyTries) as refused, tries.one("192.0.2.1"):
        pass
    assert refused.value.headers == {"Retry-After": "1"}


def test_a_server_takes_so_many_failures_from_all_networks() -> None:
    tries = Tries(now=Clock())
    for number in range(600):
        fail(tries, f"10.0.0.{number % 20}")

    with pytest.raises(TooManyTries), tries.one("192.0.2.1"):
        pass


def test_a_try_that_succeeds_is_not_counted() -> None:
    tries = Tries(per_address=1, in_all=1, now=Clock())

    for _ in range(3):
        with tries.one("192.0.2.1"):
            pass
    fail(tries)

    with pytest.raises(TooManyTries), tries.one("192.0.2.1"):
        pass


def test_a_try_counts_while_it_runs() -> None:
    tries = Tries(per_address=1, in_all=9, now=Clock())

    with tries.one("192.0.2.1"), pytest.raises(TooManyTries), tries.one("192.0.2.1"):
        pass


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_is_one_caller(address: str, network: str) -> None:
    assert network_of(address) == network
