"""The folder of an exercise that was pasted, and of its pack if there is none yet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from author.paste.pasting import Pasted
from author.wording import listed
from exercises.errors import PackError
from exercises.folder import EXERCISE_FILE, PACK_FILE, default_checkpoints
from exercises.language import given
from exercises.language.given import Given

_NAME: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LISTED: Final = re.compile(r"^exercises = \[(.*?)\]", re.MULTILINE | re.DOTALL)


def write(pasted: Pasted, folder: Path) -> list[Path]:
    """Write an exercise into a folder, and its pack around it; return the files that were written.

    What an author wrote by hand stays: statement and settings of an exercise that is there are left alone.

    :raises PackError: the folder's name can be no slug, or the pack's list cannot be read
    """
    folder = folder.resolve()
    for each in (folder, folder.parent):
        if not _NAME.fullmatch(each.name):
            raise PackError(
                f"{each.name!r} can be no part of a slug. Name pack and exercise with a-z, 0-9 and hyphens: "
                "my-pack/one-layer."
            )
    folder.mkdir(parents=True, exist_ok=True)
    parts = given.read(pasted.given)
    texts = {folder / "given.py": pasted.given, folder / "forward.py": pasted.lines}
    title = folder.name.replace("-", " ").replace("_", " ").capitalize()
    once = {
        folder / EXERCISE_FILE: _settings(title, pasted),
        folder / "statement.md": "\n".join(_statement(title, pasted, parts)),
    }
    texts |= {path: text for path, text in once.items() if not path.exists()}
    texts |= _pack(folder)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _settings(title: str, pasted: Pasted) -> str:
    lines = [f'title = "{title}"', 'summary = "Say in a sentence what it trains."', "revision = 1"]
    if pasted.vanishing:
        lines += [
            "# Their gradient is zero in mathematics: zeros pass there.",
            f"vanishing = {json.dumps(pasted.vanishing)}",
        ]
    return "\n".join([*lines, ""])


def _pack(folder: Path) -> dict[Path, str]:
    """Return the pack's file with this exercise in its list; nothing if it is there."""
    path = folder.parent / PACK_FILE
    if not path.exists():
        title = folder.parent.name.replace("-", " ").replace("_", " ").capitalize()
        return {path: f'title = "{title}"\nsummary = ""\nlicence = "MIT"\nexercises = ["{folder.name}"]\n'}
    text = path.read_text(encoding="utf-8")
    listed = _LISTED.search(text)
    if listed is None:
        raise PackError(f"{path} has no list of exercises. Add the line: exercises = []")
    if f'"{folder.name}"' in listed[1]:
        return {}
    names = [*(each.strip() for each in listed[1].split(",") if each.strip()), f'"{folder.name}"']
    return {path: f"{text[: listed.start()]}exercises = [{', '.join(names)}]{text[listed.end() :]}"}


def _statement(title: str, pasted: Pasted, parts: Given) -> Iterator[str]:
    """Yield the lines of a statement to begin with: what is given, and what is asked."""
    asked = default_checkpoints(pasted.forward, parts.params)
    yield from (f"# {title}", "", "Say what this exercise trains, and one thing to look out for.", "", "You are given:")
    yield ""
    for each in parts.drawn:
        is_seen = each.name in pasted.forward.with_gradient
        what = "data" if not each.is_param else "a parameter" if is_seen else "a parameter without a gradient"
        yield f"- `{each.name}`, {list(each.draw(0).shape)}: {what}"
    yield from (f"- `{name}` = {value}" for name, value in parts.constants.items())
    yield from ("", f"Derive {listed([f'`d{name}`' for name in asked])}, from the loss back.", "")
