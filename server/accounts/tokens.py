"""Tokens, and codes that people type: how they are made, and what is kept of them."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_PREFIX = "dojo_"  # people and secret scanners recognise it
CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # without those that look alike on a blackboard


def new_token() -> str:
    """Return a token of 32 random bytes. It is shown once; only its digest is kept."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return the SHA-256 of a token, in hex. A random token needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_typed_code() -> str:
    """Return a code such as ``K7QF2-9TXMD``: 49 random bits, too many to guess over a network."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def normalise_typed_code(typed: str) -> str:
    """Return a code in the form that is kept, from what a person typed."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return f"{letters[:5]}-{letters[5:]}"
