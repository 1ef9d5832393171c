"""JSON files in the config folder that only their owner can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dojo.errors import BadFile
from dojo.files import atomic

JOIN_COMMAND = "dojo join ADDRESS CODE --name NAME"


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file; an empty one if there is no file, or no object in it.

    :raises BadFile: the file is damaged
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise BadFile(f"{path} cannot be read: {error}.", f"Delete it, then type: {JOIN_COMMAND}") from error
    return content if isinstance(content, dict) else {}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object to a file of mode 0600, in a folder of mode 0700 if there is none yet.

    :raises OSError: the file cannot be written
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    atomic.write(path, f"{json.dumps(content, indent=2)}\n".encode(), private=True)
