"""An answer that is saved as a file."""

from __future__ import annotations


def attachment(filename: str) -> dict[str, str]:
    """Return the headers of a file to be saved under a name of plain letters."""
    return {"Content-Disposition": f'attachment; filename="{filename}"'}
