"""Where rules are kept: operation → rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from author.derive.site import Rule


class NoRule(Exception):
    """A rule does not derive this use of its operation. The text names the use."""


RULES: Final[dict[str, Rule]] = {}


def rule(*operations: str) -> Callable[[Rule], Rule]:
    """Register the rule of operations."""

    def register(function: Rule) -> Rule:
        for each in operations:
            RULES[each] = function
        return function

    return register
