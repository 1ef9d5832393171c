"""A very small assembler for classic BPF, as seccomp takes it: forward jumps only, one accumulator.

A program is a list of blocks. Each block begins with the system call's number in the accumulator. It either returns,
or leaves the number there for the next block.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

# linux/bpf_common.h
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP = 0x05  # BPF_JMP | BPF_JA
_JUMP_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

# struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }
_NUMBER_AT = 0
_ARCHITECTURE_AT = 4
_ARGUMENTS_AT = 16

Program = list[bytes]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition: argument number ``argument``, its low 32 bits masked with ``mask``, is one of ``values``.

    ``wide``: the high 32 bits must be zero. For arguments that the kernel reads as 64 bits. For an ``int`` (a
    descriptor) the kernel drops the high half itself, so it is not tested.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFF_FFFF
    wide: bool = False


def instruction(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """Encode ``struct sock_filter { __u16 code; __u8 jt; __u8 jf; __u32 k; }``."""
    return struct.pack("=HBBI", code, if_true, if_false, k)


def refuse_other_architectures(architecture: int, action: int) -> Program:
    """Answer every call that did not enter through ``architecture`` (such as a 32-bit entry) with ``action``.

    This is the first block of a program: numbers have no meaning before the architecture is known.
    """
    return [
        instruction(_LOAD_WORD, _ARCHITECTURE_AT),
        instruction(_JUMP_IF_EQUAL, architecture, 1, 0),
        instruction(_RETURN, action),
        instruction(_LOAD_WORD, _NUMBER_AT),
    ]


def at_least(number: int, action: int) -> Program:
    """Answer all calls from ``number`` on with ``action``."""
    return [instruction(_JUMP_IF_AT_LEAST, number, 0, 1), instruction(_RETURN, action)]


def any_of(numbers: Sequence[int], action: int) -> Program:
    """Answer all calls in ``numbers`` with ``action``.

    :raises ValueError: if there are more than 255
    """
    count = len(numbers)
    if count > 255:  # a jump is one byte wide
        raise ValueError("at most 255 numbers fit in one block; split it")
    jumps = [instruction(_JUMP_IF_EQUAL, number, count - i, 0) for i, number in enumerate(numbers)]
    return [*jumps, instruction(_JUMP, 1), instruction(_RETURN, action)]


def where(number: int, conditions: Sequence[Condition], action: int, otherwise: int) -> Program:
    """Answer the call ``number`` with ``action`` if all conditions hold, else with ``otherwise``."""
    checks: list[tuple[int, tuple[int, ...], int]] = []  # offset, values, mask
    for condition in conditions:
        low = _ARGUMENTS_AT + 8 * condition.argument  # both architectures are little-endian
        checks.append((low, condition.values, condition.mask))
        if condition.wide:
            checks.append((low + 4, (0,), 0xFFFF_FFFF))
    length = sum(2 + len(values) for _, values, _ in checks)
    body: Program = []
    for offset, values, mask in checks:
        body += [instruction(_LOAD_WORD, offset), instruction(_AND, mask)]
        for i, value in enumerate(values):
            to_next_check = len(values) - 1 - i
            last = to_next_check == 0
            to_refusal = length - len(body)  # past the rest of the checks and the first return
            body.append(instruction(_JUMP_IF_EQUAL, value, to_next_check, to_refusal if last else 0))
    body += [instruction(_RETURN, action), instruction(_RETURN, otherwise)]
    return [instruction(_JUMP_IF_EQUAL, number, 0, len(body)), *body]


def always(action: int) -> Program:
    """Answer every call that is left with ``action``: the last block."""
    return [instruction(_RETURN, action)]
