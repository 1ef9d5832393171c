"""Recognising a token before the request is served, so that nobody else's body is read.

It decides no right: the transaction that serves a request signs its sender in again (``signin.py``). So a token that
was recognised a moment ago need not be looked up each time.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final

from server.accounts import tokens
from server.accounts.queries import ACCOUNT_OF_TOKEN
from server.database.engine import Database
from server.database.table import now

REMEMBERED_TOKENS: Final = 10_000


class Recognition:
    """Knows valid tokens, and those of the last minutes without asking. Thread-safe.

    :param remembered_seconds: how long a token stays known that was revoked meanwhile
    """

    def __init__(self, database: Database, remembered_seconds: float = 300.0) -> None:
        self._database = database
        self._remembered_seconds = remembered_seconds
        self._lock = threading.Lock()
        self._known_until: OrderedDict[str, float] = OrderedDict()  # by digest, on the monotonic clock

    def remembers(self, token: str) -> bool:
        """Return whether a token was found valid a moment ago."""
        with self._lock:
            return self._known_until.get(tokens.digest(token), 0.0) > time.monotonic()

    def is_valid(self, token: str) -> bool:
        """Ask the database whether a token opens an account, and remember it if it does."""
        digest = tokens.digest(token)
        with self._database.reading() as session:
            is_valid = ACCOUNT_OF_TOKEN.first(session, {"digest": digest, "moment": now()}) is not None
        if is_valid:
            with self._lock:
                self._known_until[digest] = time.monotonic() + self._remembered_seconds
                self._known_until.move_to_end(digest)
                if len(self._known_until) > REMEMBERED_TOKENS:
                    self._known_until.popitem(last=False)
        return is_valid
