"""The parts of a gradient that is asked for in one expression, and what students write in their place.

An exercise that asks for one closed expression has no names for the steps in between. Its author names the parts of
the expression instead: a mistake is then told in the words of the formula. All code is evaluated on the forward state.
A test adds the parts up: they must give the right gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import torch
import torch.nn.functional as functional
from torch import Tensor

from exercises.tape import variables


class SlipKind(StrEnum):
    """What is wrong with a slip."""

    UNSUMMED = "unsummed"
    AXIS = "axis"
    INCOMPLETE = "incomplete"
    OTHER = "other"


@dataclass(frozen=True)
class Slip:
    """What students write in place of a part.

    ``says`` is a clause about it, such as "bnraw is left out of the sum".
    """

    kind: SlipKind
    code: str
    says: str


@dataclass(frozen=True)
class Part:
    """A part of the formula, a summand.

    ``name`` has an article: "the mean part". ``about`` is a sentence that says where the part comes from. ``turned`` is
    the sentence for the wrong sign.
    """

    name: str
    code: str
    about: str
    turned: str
    slips: tuple[Slip, ...] = ()


def evaluated(code: str, state: Mapping[str, Tensor], shape: torch.Size) -> Tensor:
    """Return the value of an expression of a pack on a forward state, expanded to ``shape``."""
    namespace = {"torch": torch, "F": functional, **variables(dict(state))}
    value: Tensor = eval(code, namespace)  # the code of an installed pack
    return value.to(torch.float32).expand(shape)
