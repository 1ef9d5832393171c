"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file. A broken connection or a full disk leaves the old file as it was.

    A private file has mode 0600; any other has the mode of an ordinary new file.

    :raises OSError: the file cannot be written
    """
    handle, temporary_name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # with mode 0600
    temporary = Path(temporary_name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if not private and os.name == "posix":
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
