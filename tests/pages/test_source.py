"""Code as a page shows it."""

from __future__ import annotations

import pytest

from server.pages.source import KEPT_BYTES_MAX, bytes_of, lines_of, setting_lines

STEPS = frozenset({"h", "logits", "W2", "emb"})


def test_hostile_code_is_text() -> None:
    (line,) = lines_of("x = '</span><script>alert(1)</script>'  # <b>", STEPS)

    assert "<script>" not in line.content
    assert "&lt;script&gt;" in line.content
    assert '<span class="c"># &lt;b&gt;</span>' in line.content


def test_characters_that_turn_the_writing_around_are_seen() -> None:
    (line,) = lines_of("a = 1  # \u202e\u2066 hidden", STEPS)

    assert "\\u202e\\u2066" in line.content


def test_code_that_stops_in_the_middle_shows_all_its_lines() -> None:
    lines = lines_of("dh = 1\nx = '''open\n\ty = (", STEPS)

    assert [line.number for line in lines] == [1, 2, 3]
    assert '<span class="d">dh</span>' in lines[0].content


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("dh = 1", 1),
        ("dh = None\n\ndh = 2 * dlogits", 3),
        ("dh = torch.zeros(3)\ndh[range(n), Yb] += 1", 2),
        ("    dh += 1", 1),
        ("dlogits, dh = 1, 2", 1),
        ("x = 1; dh = 2", 1),
        ("dh, dW2 = f(dlogits)", 1),
        ("dh = torch.zeros_like(h)\ndh.index_add_(0, Xb, 1)", 2),
        ("dW2 = dh = 1", 1),
    ],
)
def test_the_mark_of_a_step_stands_at_the_last_line_that_sets_it(source: str, line: int) -> None:
    assert setting_lines(source, STEPS)["h"] == line


@pytest.mark.parametrize("source", ["x = dh", "# dh = 1", "print(dh == 1)", "f(dh=1, x=2)", "cmp('h', dh, h)"])
def test_a_line_that_only_reads_a_step_has_no_mark(source: str) -> None:
    assert "h" not in setting_lines(source, STEPS)


@pytest.mark.parametrize(
    ("source", "steps"),
    [
        ("dh[i, dW2] = 1", {"h": 1}),
        ("dh[i, dW2 = 1", {"h": 1, "W2": 1}),
        ("[dh, dW2][0] = 1", {}),
    ],
)
def test_what_stands_in_brackets_is_no_target(source: str, steps: dict[str, int]) -> None:
    assert setting_lines(source, STEPS) == steps


def test_brackets_that_never_end_are_read_once() -> None:
    assert setting_lines("dh" + "[" * 1_000_000 + " = 1", STEPS) == {"h": 1}  # each read to the end takes an hour


def test_what_is_kept_of_hostile_sources_is_bounded_by_its_bytes() -> None:
    source = "#" + "\U0001f600" * 60_000
    lines = lines_of(source)

    assert bytes_of(lines) > 4 * len(source)
    assert lines_of(source) is lines
    for number in range(KEPT_BYTES_MAX // bytes_of(lines) + 1):
        lines_of(source + str(number))
    assert lines_of(source) is not lines
