"""Tokens and join codes: how they are made, and what is kept of them."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "dojo_"  # lets people and secret scanners see what it is
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none that are taken for each other when read from a blackboard


def new_token() -> str:
    """A token of 32 random bytes. It is shown once; its digest is kept."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256, in hex. A token is random, so that it needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_join_code() -> str:
    """A join code such as ``K7QF2-9TXMD``: 49 random bits, out of reach of guessing over a network."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def normalise_join_code(typed: str) -> str:
    """A join code as somebody typed it → as it is kept."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return f"{letters[:5]}-{letters[5:]}"
