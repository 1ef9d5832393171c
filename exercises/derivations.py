"""Why each gradient is what it is: three lines for each checkpoint, in an exercise's own text.

A text has a paragraph for each checkpoint, under a heading with its name::

    ## bngain

    - `dhpreact`, [32, 64], comes in from `hpreact = bngain * bnraw + bnbias`.
    - An entry of bngain is multiplied with bnraw in each of 32 rows, so the factor is bnraw.
    - `dbngain = (dhpreact * bnraw).sum(0, keepdim=True)`: [1, 64], the 32 contributions of each column added up.

The last line begins with the code that computes the gradient. A test executes it on the forward state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from exercises.errors import PackError

LINES = 3


@dataclass(frozen=True)
class Derivation:
    """The derivation of a gradient in three lines.

    ``upstream`` says what flows in, ``local`` what the line of the forward pass does to it, and ``result`` what comes
    out, with its shape and its sums. ``result`` begins with code between backticks.
    """

    upstream: str
    local: str
    result: str

    @property
    def lines(self) -> tuple[str, str, str]:
        """The three lines."""
        return self.upstream, self.local, self.result

    @property
    def code(self) -> str:
        """The code that computes the gradient, from the forward state and the gradients above.

        :raises PackError: the last line does not begin with code
        """
        found = re.match(r"`([^`]+)`", self.result)
        if found is None:
            raise PackError(f"{self.result!r} shows no code. Begin it with the code, between backticks.")
        return found[1]


def read(text: str) -> dict[str, Derivation]:
    """Read a text of derivations: checkpoint → its derivation.

    :raises PackError: a paragraph does not have three lines
    """
    derivations = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name, *rest = part.splitlines()
        lines = [line.removeprefix("- ") for line in rest if line.startswith("- ")]
        if len(lines) != LINES or len(lines) != sum(bool(line.strip()) for line in rest):
            raise PackError(f"The derivation of {name} does not have {LINES} lines. Write each after a hyphen.")
        derivations[name.strip()] = Derivation(*lines)
    return derivations


def written(derivations: Mapping[str, Derivation]) -> str:
    """Return the text of derivations, which ``read`` reads back."""
    parts = (f"## {name}\n\n" + "".join(f"- {line}\n" for line in each.lines) for name, each in derivations.items())
    return "\n".join(parts)
