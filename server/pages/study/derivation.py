"""The derivation of a step as its panel shows it: three lines, the last one as a formula and as code."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from author.derive import mathml
from author.derive.key import derivation_of
from exercises.errors import PackError
from exercises.exercise import Exercise
from exercises.language.errors import Refused
from server.pages.source import inline


@dataclass(frozen=True)
class DerivationShown:
    """What flows in, what the line does, and the result: ``formulas`` is MathML, ``code`` its statements.

    ``about`` says the shape and what is summed.
    """

    upstream: Markup
    local: Markup
    formulas: Markup
    code: tuple[Markup, ...]
    about: Markup


def shown_derivation(exercise: Exercise, checkpoint: str) -> DerivationShown | None:
    """Return the derivation of a step, None if an operation has no rule and the author wrote none."""
    try:
        derivation = derivation_of(exercise, checkpoint)
        if derivation is None:
            return None
        code = derivation.code
    except (Refused, PackError):
        return None
    names = {*exercise.lines, *(each.name for each in exercise.checkpoints)}
    statements = mathml.statements(code)
    return DerivationShown(
        upstream=_with_code(derivation.upstream),
        local=_with_code(derivation.local),
        formulas=mathml.formula(code, names),
        code=tuple(inline(line) for each in statements for line in each.splitlines()),
        about=_with_code(derivation.result.removeprefix(f"`{code}`").removeprefix(": ")),
    )


def _with_code(text: str) -> Markup:
    """Return a line with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else Markup("{}").format(part)
        for place, part in enumerate(parts)
    )
