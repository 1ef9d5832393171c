"""Names: which can be shown in a list, and which look alike.

Two rules compare names. ``folded`` leaves out what nobody sees, and letter case: such names are the same. ``skeleton``
also takes letters for each other that look alike, in the manner of Unicode's skeletons (UTS #39, §4): so nobody takes a
name that is read as that of somebody else.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from server.http.problems import Unprocessable
from server.http.text import FILLERS, JOINERS, is_invisible, one_line

NAME_LENGTH_MAX: Final = 100
# These choose a form of the ideograph or the picture before them.
SELECTORS: Final = frozenset(map(chr, (0xFE0F, *range(0xE0100, 0xE01F0))))
ACCENTS: Final = frozenset(map(chr, (*range(0x0300, 0x0370), *range(0x1AB0, 0x1B00), *range(0x1DC0, 0x1E00))))

# A Latin letter, and letters of other scripts that look like it: Cyrillic, Greek, Armenian, Cherokee, small capitals.
LOOK_ALIKES: Final = {
    "a": "АаΑαɑᎪᴀ",
    "b": "ВвЬьΒᏴƅʙ",
    "c": "СсϹϲᏟᴄ",
    "d": "ԁᎠᴅđĐ",
    "e": "ЕеЁёΕεᎬєᴇ",
    "f": "Ϝꜰƒ",
    "g": "ɡԌᏀցɢ",
    "h": "НнΗһհᎻʜħĦ",
    "j": "ЈјյᎫᴊ",
    "k": "КкΚκᏦᴋ",
    "l": "ІіΙιıӀӏᏞ|ǀʟłŁ1Iiɪ",
    "m": "МмΜᎷᴍ",
    "n": "ΝηпПոɴ",
    "o": "ОоΟοσօ0øØᴏѲѳ",
    "p": "РрΡρᏢᴘ",
    "q": "ԛզ",
    "r": "гГᴦʀᏒ",
    "s": "ЅѕՏᏚꜱ5",
    "t": "ТтΤτᎢᴛŧŦ",
    "u": "υսᴜ",
    "v": "νѵѴᏙᴠ",
    "w": "ԝωᎳᴡ",
    "x": "ХхΧχ",
    "y": "УуΥγүҮʏ",
    "z": "ΖᏃᴢ",
}
_LATIN: Final = str.maketrans({letter: latin for latin, letters in LOOK_ALIKES.items() for letter in letters})
_PAIRS: Final = (("rn", "m"), ("vv", "w"))


class BadName(Unprocessable):
    """A name that cannot be shown in a list."""

    title, slug = "Not a name", "bad-name"


def clean_name(name: str) -> str:
    """Return a name in one line, composed (NFC).

    :raises BadName: it is empty, too long, or holds characters that are invisible or change their neighbours
    """
    name = one_line(name)
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise BadName(f"A name has 1 to {NAME_LENGTH_MAX} characters. Give the name that the course knows.")
    if any(map(is_invisible, name)) or not any(map(_is_seen, name)):
        raise BadName("The name holds control characters or other invisible ones. Send it without them.")
    return name


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """Return text without what nobody sees, and without letter case; for searching and for finding duplicates."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(letter for letter in text if letter not in JOINERS | SELECTORS).split())


@lru_cache(maxsize=8192)
def searchable(text: str) -> str:
    """Return text without accents too, for a search in names."""
    plain = unicodedata.normalize("NFD", folded(text))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@lru_cache(maxsize=8192)
def skeleton(name: str) -> str:
    """Return what is left of a name when letters that look alike are taken for the same.

    Accents, spaces and punctuation are left out. A name of nothing else is its own skeleton.
    """
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(letter for letter in plain if letter not in ACCENTS and (letter.isalnum() or letter in "|ǀ"))
    shape = letters.translate(_LATIN).casefold().translate(_LATIN)
    for pair, letter in _PAIRS:
        shape = shape.replace(pair, letter)
    return shape or folded(name)


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter)[0] not in "CZM" and letter not in FILLERS
