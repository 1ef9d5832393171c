"""Tokens and join codes: long enough that nobody guesses one."""

from __future__ import annotations

import base64
import hashlib
import math

from server.accounts import tokens


def test_a_token_holds_32_random_bytes() -> None:
    made = [tokens.new_token() for _ in range(100)]

    bodies = [token.removeprefix("dojo_") for token in made]

    assert all(token.startswith("dojo_") for token in made)
    assert {len(base64.urlsafe_b64decode(f"{body}=")) for body in bodies} == {32}
    # Each byte of a hundred tokens takes many values: none of them is fixed.
    columns = zip(*(base64.urlsafe_b64decode(f"{body}=") for body in bodies), strict=True)
    assert all(len(set(column)) > 50 for column in columns)


def test_the_digest_is_sha_256_of_the_whole_token() -> None:
    token = tokens.new_token()

    assert tokens.digest(token) == hashlib.sha256(token.encode()).hexdigest()


def test_a_join_code_holds_49_random_bits() -> None:
    codes = [tokens.new_typed_code() for _ in range(1000)]

    letters = [code[:5] + code[6:] for code in codes]

    assert {(len(code), code[5]) for code in codes} == {(11, "-")}
    assert [len(set(column)) for column in zip(*letters, strict=True)] == [len(tokens.CODE_LETTERS)] * 10
    assert math.log2(len(set(tokens.CODE_LETTERS)) ** 10) > 49
    assert not set("ILOU01") & set("".join(letters))  # they are taken for others on a blackboard


def test_a_join_code_as_it_is_kept_is_normal() -> None:
    code = tokens.new_typed_code()

    for typed in (code, code.lower(), f"  {code[:3]} {code[3:]}\n", code.replace("-", "")):
        assert tokens.normalise_typed_code(typed) == code
    assert tokens.normalise_typed_code(f"{code}A") != code
