"""Signatures of a server: Ed25519 (RFC 8032) over canonical JSON, with a key that is derived from its secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PURPOSE: Final = b"signing key of grade records"


class BadSignature(ValueError):
    """The bytes hold nothing that is signed, or it was changed since."""


def signing_key(secret: bytes) -> Ed25519PrivateKey:
    """Return the key of a server's secret, which has no other use of these bytes."""
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(secret, _PURPOSE, hashlib.sha256))


def public_key(secret: bytes) -> str:
    """Return the public key of a server, in hexadecimal."""
    return signing_key(secret).public_key().public_bytes_raw().hex()


def signature_of(values: Mapping[str, Any], secret: bytes) -> str:
    """Return the signature of values, in hexadecimal."""
    return signing_key(secret).sign(canonical(values)).hex()


def verify(values: Mapping[str, Any], key: str, signature: str) -> None:
    """Do nothing if a signature is right.

    :raises InvalidSignature: it is wrong
    :raises ValueError: key or signature are no hexadecimal numbers of the right length
    """
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), canonical(values))


def signed(values: Mapping[str, Any], secret: bytes) -> bytes:
    """Return values as JSON with the public key and the signature of a server's secret."""
    envelope = {"signed": values, "key": public_key(secret), "signature": signature_of(values, secret)}
    return json.dumps(envelope, allow_nan=False, indent=1).encode() + b"\n"


def read_signed(content: bytes) -> tuple[dict[str, Any], str]:
    """Return values whose signature is right, and the public key, in hexadecimal, that signed them.

    :raises BadSignature: they are not signed, or were changed since
    """
    try:
        envelope = json.loads(content)
        values, key = envelope["signed"], envelope["key"]
        verify(values, key, envelope["signature"])
    except InvalidSignature:
        raise BadSignature("The signature is wrong: the file was changed.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadSignature("The file is not signed.") from None
    return dict(values), key


def canonical(values: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: the same for every writing of the same values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
