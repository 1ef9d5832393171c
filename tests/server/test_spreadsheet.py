"""CSV for spreadsheets: no text is computed, and numbers stay numbers."""

from __future__ import annotations

import csv

import pytest

from server.spreadsheet import csv_text, defused, number


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.test")',
        "+1",
        "-1+1",
        "@SUM(1)",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "﹦1+1",
        "\N{MINUS SIGN}1",
        "\t=1",
        "\r=1",
        "\tAda",
        "\rAda",
        "\nAda",
        "  =1+1",
        "\N{NO-BREAK SPACE}=1",
        "\N{ZERO WIDTH NO-BREAK SPACE}=1",
        "\N{ZERO WIDTH SPACE}=1",
    ],
)
def test_what_begins_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert defused(text).startswith("'")
    assert defused(text).replace("'", "") == text


@pytest.mark.parametrize("text", ["", "Ada", "O'Neil", "a=b", "Anne-Marie", "ada@uni.test", "Lovelace, Ada", "3;4"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text


@pytest.mark.parametrize("separator", [";", "\t", "|", "\n"])
def test_what_begins_a_cell_elsewhere_is_defused_too(separator: str) -> None:
    assert defused(f"Ada{separator}=1+1") == f"Ada{separator}'=1+1"


def test_numbers_stay_numbers() -> None:
    text = csv_text([["a,b", -1.5, 26.0, 1 / 3, None, "-1", -0.001]])

    (line,) = csv.reader(text.splitlines())
    assert line == ["a,b", "-1.5", "26", "0.33", "", "'-1", "0"]
    assert number(100.0) == "100"
