"""Names: which are shown, and which look alike."""

from __future__ import annotations

import pytest

from server.accounts.names import LOOK_ALIKES, BadName, clean_name, folded, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "\N{ZERO WIDTH JOINER}",
        "\N{HANGUL FILLER}",
        "A\N{HANGUL FILLER}da",
        "\N{BRAILLE PATTERN BLANK}",
        "Ada\N{COMBINING GRAPHEME JOINER}",
        "Ada\N{VARIATION SELECTOR-1}",
        "Ada\N{WORD JOINER}",
        "\N{COMBINING ACUTE ACCENT}",
    ],
)
def test_a_name_with_something_invisible_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        clean_name(name)


@pytest.mark.parametrize("name", ["葛\U000e0100城", "\N{HEAVY BLACK HEART}\ufe0f", "علی\u200cرضا", "कमला", "Thị Ánh"])
def test_names_that_need_invisible_characters_are_kept(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "alike",
    [
        "ada lovelace",
        "Adа Lovelace",  # a Cyrillic letter
        "ΑDA LOVELACE",  # a Greek one
        "Ada Love1ace",
        "Ada LoveIace",
        "Adá  Lövelace",
        "Ada_Lovelace.",
        "Ａｄａ Ｌｏｖｅｌａｃｅ",
        "𝐀𝐝𝐚 Lovelace",
        "Ada\N{ZERO WIDTH NON-JOINER}Lovelace",
        "ᎪᎠᎪ Lovelace",
    ],
)
def test_names_that_look_alike_have_one_skeleton(alike: str) -> None:
    assert skeleton(alike) == skeleton("Ada Lovelace")


def test_other_names_have_other_skeletons() -> None:
    names = ["Ada Lovelace", "Ada Lovelac", "Eda Lovelace", "Bob", "Bab", "李小龍", "李大龍", "علی", "...", "---"]

    assert len({skeleton(name) for name in names}) == len(names)


def test_each_look_alike_is_of_one_letter() -> None:
    letters = "".join(LOOK_ALIKES.values())

    assert len(letters) == len(set(letters))


def test_folding_leaves_case_and_joiners_out_and_keeps_accents() -> None:
    assert folded("ADA\N{ZERO WIDTH JOINER} ") == folded("ada")
    assert folded("Éva") != folded("Eva")
