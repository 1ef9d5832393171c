"""The text of lines, with the comments of their source."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Mapping, Sequence

from exercises.language.forward import Line


def shown(lines: Sequence[Line], comments: Mapping[int, str]) -> str:
    """Return one line a step; the comment of a line of the source stands at the last step that it became."""
    last = {line.number: line for line in lines}
    return "\n".join(
        f"{line.text}  {comments[line.number]}" if line.number in comments and last[line.number] is line else line.text
        for line in lines
    )


def comments_of(source: str) -> dict[int, str]:
    """Return number of a line → the comment at its end."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return {}
    return {
        token.start[0]: token.string
        for token in tokens
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip()
    }
