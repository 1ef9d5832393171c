"""Words on the command line: exercises completed, paths as short as they can be typed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from dojo.api.addresses import is_exercise_slug
from dojo.commands.context import Context
from dojo.errors import BadFile
from dojo.files.answer_file import SUFFIXES
from dojo.profiles.config import Config


class SubmissionNumber(click.IntRange):
    """The number of a submission. Another word is answered with where the numbers are."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(min=1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"“{value}” is no number of a submission. See yours: dojo history", param, ctx)


def complete_exercise(click_context: click.Context, _: click.Parameter, prefix: str) -> list[CompletionItem]:
    """Return the stored slugs that begin with a prefix."""
    context = click_context.obj if isinstance(click_context.obj, Context) else Context(Config())
    return [CompletionItem(slug) for slug in context.config.stored_exercises() if slug.startswith(prefix)]


def typed_text(word: str) -> str:
    """Return a word as it was typed. In a locale without UTF-8, Python keeps its bytes as lone surrogates (PEP 383)."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return os.fsencode(word).decode("utf-8", errors="replace")
    return word


def shell_word(text: str) -> str:
    """Return a text as one word that can be typed: with blanks in it, it needs quotes."""
    return f'"{text}"' if os.name == "nt" and " " in text else shlex.quote(text)


def one_file(command: str, words: Sequence[Path]) -> Path:
    """Return the file that the words after a command name, or the current folder if there is none.

    :raises BadFile: there are several words: a path with blanks that needs quotes, or an exercise beside the file
    """
    texts = [str(word) for word in words]
    if len(texts) == 1 and _looks_like_exercise(texts[0]):
        raise BadFile(
            f"There is no {texts[0]} here. It looks like an exercise, and dojo {command} takes a file.",
            f"Go into its folder, and type: dojo {command} solution.py",
        )
    if len(words) <= 1:
        return words[0] if words else Path()
    joined = " ".join(texts)
    if Path(joined).exists():
        raise BadFile(
            f"{joined} has blanks in its name, so the shell makes {len(words)} words of it.",
            f"Put it in quotes: dojo {command} {shell_word(joined)}",
        )
    slugs = [text for text in texts if _looks_like_exercise(text)]
    files = [text for text in texts if text not in slugs]
    if len(slugs) == 1 and len(files) == 1 and command != "check":
        raise BadFile(
            f"{slugs[0]} looks like an exercise, and dojo {command} takes a file.",
            f"Type: dojo {command} {shell_word(files[0])} --exercise {slugs[0]}",
        )
    raise BadFile(
        f"dojo {command} takes one file, and here are {len(words)}: {', '.join(texts)}.",
        f"Type: dojo {command} FILE   If its name has blanks, put it in quotes.",
    )


def _looks_like_exercise(text: str) -> bool:
    path = Path(text)
    return is_exercise_slug(text) and path.suffix not in SUFFIXES and not path.exists()


def short_path(path: Path) -> str:
    """Return a path relative to the current folder, if it lies in it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
