"""The cache that is bounded by bytes: what it keeps, and what it forgets first."""

from __future__ import annotations

from grader.caches.byte_cache import ByteCache


class Maker:
    """A cache of texts that weigh their length, and a list of what was made."""

    def __init__(self, bytes_max: int) -> None:
        self.made: list[str] = []
        self._cache: ByteCache[str, str] = ByteCache(bytes_max, len)

    def get(self, text: str) -> str:
        """Get a text, which is its own key."""

        def make() -> str:
            self.made.append(text)
            return text

        return self._cache.get(text, make)


def test_what_is_asked_again_is_made_once() -> None:
    maker = Maker(bytes_max=10)

    assert [maker.get("aaaa"), maker.get("bbbb"), maker.get("aaaa")] == ["aaaa", "bbbb", "aaaa"]
    assert maker.made == ["aaaa", "bbbb"]


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    maker = Maker(bytes_max=10)
    for text in ("aaaa", "bbbb", "aaaa", "cccc"):  # the third has no room beside both
        maker.get(text)

    maker.made.clear()
    for text in ("aaaa", "cccc", "bbbb"):
        maker.get(text)

    assert maker.made == ["bbbb"]


def test_a_large_value_makes_room_of_many_small_ones() -> None:
    maker = Maker(bytes_max=10)
    for text in ("aa", "bb", "cc", "dddddddd"):
        maker.get(text)

    maker.made.clear()
    for text in ("dddddddd", "cc", "bb"):
        maker.get(text)

    assert maker.made == ["bb"]


def test_what_is_larger_than_the_cache_pushes_nothing_out() -> None:
    maker = Maker(bytes_max=10)
    maker.get("aaaa")
    maker.get("b" * 11)

    maker.made.clear()
    maker.get("aaaa")
    maker.get("b" * 11)

    assert maker.made == ["b" * 11]


def test_what_cannot_be_made_is_tried_again() -> None:
    cache: ByteCache[str, str] = ByteCache(10, len)

    def fail() -> str:
        raise RuntimeError

    for _ in range(2):
        try:
            cache.get("a", fail)
        except RuntimeError:
            continue
        raise AssertionError
    assert cache.get("a", lambda: "made") == "made"


def test_the_newest_may_stay_although_it_is_too_large() -> None:
    cache: ByteCache[str, str] = ByteCache(3, len, newest_stays=True)

    for text in ("a", "bb", "too large", "too large"):
        cache.get(text, text.upper)

    assert "too large" in cache
    assert "a" not in cache and "bb" not in cache
