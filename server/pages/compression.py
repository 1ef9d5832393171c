"""Compressed answers: pages as they are made, files once."""

from __future__ import annotations

import gzip
import re
from typing import Final

BYTES_MIN: Final = 1000  # less fits into one packet anyway
PAGE_LEVEL: Final = 4  # a class of 1,000 is a megabyte, and a request waits for it
FILE_LEVEL: Final = 9  # once for each file and process
_CODING: Final = re.compile(r"\s*([^;\s]+)\s*(?:;\s*q=\s*([0-9.]+))?\s*")


def takes_gzip(accepted: str) -> bool:
    """Return whether an ``Accept-Encoding`` header takes gzip (RFC 9110, 12.5.3)."""
    for part in accepted.lower().split(","):
        coding = _CODING.fullmatch(part)
        if coding is not None and coding.group(1) in ("gzip", "x-gzip", "*"):
            return float(coding.group(2) or 1) > 0
    return False


def packed(content: bytes, level: int) -> bytes:
    """Return content compressed. The time is left out, so that the same content gives the same bytes."""
    return gzip.compress(content, level, mtime=0)
