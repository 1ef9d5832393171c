"""How the values of a finding read in a sentence: names as a list, shapes as uses, numbers without an exponent.

A template names a value and one of ``WORDS``: ``{uses:and}`` is "a, b and c".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from string import Formatter
from typing import Any

from grader.diagnosis.codes import NamedPart

# What the numbers of an answer show that no hypothesis explains.
FIGURES: Mapping[str, str] = {
    "shape": "Its shape is {shape}, and {right} is wanted",
    "nearly_right": (
        "It is nearly right, off by at most {share:.1g} of its largest element. Look for lost digits or for a small "
        "constant"
    ),
    "elements": "{right} of {count} elements are right{where:where}{ratio:ratio}",
    "hardly_any": "Hardly any of the {count} elements is right{ratio:ratio}",
}
LISTED_SLICES_MAX = 8  # more slices are given as a range


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _are(names: Sequence[str]) -> str:
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'}"


def _capital_are(names: Sequence[str]) -> str:
    return _start(_are(names))


def _does_not_show(names: Sequence[str]) -> str:
    """Say of parts of a formula that nothing of them is left in the numbers; one that is there may cancel."""
    if len(names) == 1:
        return f"nothing of {names[0]} shows: it is missing, or it cancels"
    return f"nothing of {_listed(names)} shows: they are missing, or they cancel"


def _capital_does_not_show(names: Sequence[str]) -> str:
    text = _does_not_show(names).replace(" shows:", " shows in your formula:")
    return text[0].upper() + text[1:]


def _start(text: str) -> str:
    """Return the text with a capital at its start, unless it starts with the name of a variable."""
    return text[:1].upper() + text[1:] if text.startswith(("the ", "its ")) else text


def _part(part: NamedPart) -> str:
    to = "" if part.read == part.checkpoint else f" to {part.read}"
    return part.name or f"the part of d{part.checkpoint} that comes{to} through {part.step}"


def _capital_part(part: NamedPart) -> str:
    return _start(_part(part))


def _sentences(sentences: Sequence[str]) -> str:
    return " ".join(sentences)


def _clauses(clauses: Sequence[str]) -> str:
    return ", and ".join(dict.fromkeys(clauses))


def _used(shapes: tuple[Sequence[int], Sequence[int]]) -> str:
    """Return how often a tensor of a narrow shape is used in a wide one: "is used in 32 rows: 32 contributions …"."""
    narrow, wide = shapes
    padded = [1] * (len(wide) - len(narrow)) + list(narrow)
    stretched = [axis for axis, length in enumerate(wide) if padded[axis] == 1 < length]
    count = math.prod(wide[axis] for axis in stretched)
    if len(wide) == 2 and len(stretched) == 1:
        where, each = ("rows", "column") if stretched == [0] else ("columns", "row")
        return f"is used in {count} {where}: {count} contributions a {each}"
    return f"is used in {count} places: {count} contributions for each of its elements"


def _subject(step: str | None) -> str:
    return "Your numbers are those of" if step is None else f"The term through {step} has the numbers of"


def _summed(is_summed: bool) -> str:
    return ", summed" if is_summed else ""


def _times(count: int) -> str:
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")


def _ordinal(number: int) -> str:
    return ("first", "second", "third", "fourth")[number - 1]


def _elements(count: int) -> str:
    return f"{count} element{'s' * (count > 1)}"


def _slices(indices: Sequence[int]) -> str:
    names = [str(index) for index in indices]
    which = _listed(names) if len(names) <= LISTED_SLICES_MAX else f"{names[0]} to {names[-1]}"
    return f"{'slices' if len(names) > 1 else 'slice'} {which}"


def _along(axis_from_end: int) -> str:
    return {1: "row", 2: "column"}.get(axis_from_end, "slice")


def _where(wrong: tuple[int, Sequence[int]] | None) -> str:
    """Return where the wrong elements are: an axis and indices along it, or None."""
    if wrong is None:
        return ""
    axis, indices = wrong
    shown = ", ".join(map(str, indices[:6])) + (", …" if len(indices) > 6 else "")
    return f". The wrong ones sit at {shown} of axis {axis}"


def _ratio(ratio: float | None) -> str:
    if ratio is None or f"{ratio:.3g}" == "1":  # half of the wrong ones are too large, half too small
        return ""
    return f". Where they are wrong, they are typically {ratio:.3g} times what they should be"


def _plain(number: float) -> str:
    """Return a number with three digits, without an exponent: 0.0000214."""
    if number == 0 or not math.isfinite(number):
        return "0" if number == 0 else str(number)
    decimals = max(0, 2 - math.floor(math.log10(abs(number))))
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _indices(index: Sequence[int]) -> str:
    return ", ".join(map(str, index))


def _figures(figures: tuple[str, Mapping[str, object]]) -> str:
    form, values = figures
    return filled(FIGURES[form], values)


WORDS: Mapping[str, Callable[[Any], str]] = {
    "and": _listed,
    "are": _are,
    "Are": _capital_are,
    "does_not_show": _does_not_show,
    "do_not_show": _capital_does_not_show,
    "start": _start,
    "part": _part,
    "Part": _capital_part,
    "sentences": _sentences,
    "clauses": _clauses,
    "used": _used,
    "subject": _subject,
    "summed": _summed,
    "times": _times,
    "ordinal": _ordinal,
    "elements": _elements,
    "slices": _slices,
    "along": _along,
    "where": _where,
    "ratio": _ratio,
    "plain": _plain,
    "indices": _indices,
    "figures": _figures,
}


def filled(template: str, values: Mapping[str, object]) -> str:
    """Return a template with its values.

    :raises KeyError: it names a value that is not there
    """
    return "".join(
        literal if name is None else literal + _field(values[name], spec) for literal, name, spec in _parsed(template)
    )


@cache  # a Formatter reads a template again each time, which costs more than all else that a sentence does
def _parsed(template: str) -> Sequence[tuple[str, str | None, str]]:
    """Return the parts of a template: text, then the name of a value, or None at the end, and how it is written."""
    return [(literal, name, spec or "") for literal, name, spec, _ in Formatter().parse(template)]


def _field(value: Any, spec: str) -> str:
    word = WORDS.get(spec)
    return format(value, spec) if word is None else word(value)
