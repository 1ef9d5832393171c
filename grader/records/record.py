"""A record of a grade: everything that made it, signed by the server that gave it.

Anyone with this grader can replay it, without the server: the forward state is in it as bytes, the submission as it
came, and the rows that were given. The signature is Ed25519 (RFC 8032) over the record's canonical JSON, so that nobody
but the server can have written it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature

from grader.records.signature import public_key, signature_of, verify

FORMAT: Final = 1
RECORD_BYTES_MAX: Final = 64 * 1024 * 1024  # a forward state and a submission, as base64


class BadRecord(ValueError):
    """The bytes are no record, or nobody signed them. The message says what to do."""


@dataclass(frozen=True)
class Record:
    """A grade with what made it.

    ``state`` is the forward state, as safetensors. ``kind`` is ``code`` or ``tensors``, ``body`` what was handed in.
    ``run_status`` is None for tensors. ``rows`` are the table as REST shows it.
    """

    submission: int
    exercise: str
    revision: int
    dataset: str
    instance_kind: str
    state: bytes
    kind: str
    filename: str | None
    body: bytes
    environment: str
    run_status: str | None
    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def read(cls, content: bytes) -> tuple[Self, str]:
        """Read a record whose signature is right; return it with the public key, in hexadecimal, that signed it.

        Compare the key with that of the server: anybody can make a key and sign with it.

        :raises BadRecord: it is no record, or was changed since it was signed
        """
        if len(content) > RECORD_BYTES_MAX:
            raise BadRecord(f"It is larger than {RECORD_BYTES_MAX >> 20} MiB. Name a record that the server gave.")
        try:
            envelope = json.loads(content)
            values, key = envelope["record"], envelope["key"]
            if envelope["format"] != FORMAT:
                raise BadRecord(f"It has format {envelope['format']}. Replay it with the grader that wrote it.")
            verify(values, key, envelope["signature"])
            encoded = {name: base64.b64decode(values[name], validate=True) for name in ("state", "body")}
            return cls(**values | encoded | {"rows": tuple(values["rows"])}), key
        except InvalidSignature:
            raise BadRecord("The signature is wrong: the record was changed. Ask the server for it again.") from None
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
            if isinstance(error, BadRecord):
                raise
            raise BadRecord("This is no record of a grade. Name a file that the server gave.") from None

    def signed(self, secret: bytes) -> bytes:
        """Return the record as JSON, signed with the key of a server's secret."""
        values = asdict(self)
        for name in ("state", "body"):
            values[name] = base64.b64encode(values[name]).decode()
        signature = signature_of(values, secret)
        envelope = {"format": FORMAT, "key": public_key(secret), "signature": signature, "record": values}
        return json.dumps(envelope, allow_nan=False).encode()
