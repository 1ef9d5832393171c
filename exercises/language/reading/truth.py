"""What a branch depends on."""

from __future__ import annotations

import ast
from typing import Any

from exercises.language.errors import Refused
from exercises.language.reading.session import Session
from exercises.language.reading.values import Results, Traced


def truth(session: Session, value: Any, node: ast.expr) -> bool:
    """Return whether a plain value is true.

    :raises Refused: it is a tensor
    """
    if isinstance(value, Traced | Results):
        raise branch_refused(session, node, "a", "b")
    return bool(value) if isinstance(value, bool | int | float | str | list | tuple | dict | range | None) else True


def branch_refused(session: Session, test: ast.expr, if_true: str, if_false: str) -> Refused:
    """Return the refusal of a branch that another seed may not take."""
    return session.refused(
        "this branch depends on a tensor's values, so another seed may take the other one",
        f"Write torch.where({ast.unparse(test)}, {if_true}, {if_false}), or move the choice to given.",
    )
