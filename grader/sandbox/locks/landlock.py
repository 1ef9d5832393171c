"""Landlock: the second lock, if the kernel has one. Everything that it can forbid is forbidden.

It covers what seccomp covers too (opening, changing and running files, TCP, abstract sockets, signals), so a hole in
one of them is not enough. It does not cover ``stat`` and ``readlink``: only seccomp does.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from typing import Final

from grader.sandbox.locks import kernel

# linux/landlock.h: how many rights on files each version of the interface knows. Later versions may know more; these
# are enough.
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_SINCE: Final = 4  # bind and connect, TCP
_SCOPES_SINCE: Final = 6  # abstract unix sockets, signals to the outside
_CREATE_RULESET_VERSION: Final = 1


def version() -> int:
    """Return the version of the kernel's Landlock interface; 0 for none (old kernel, not enabled, gVisor).

    :raises OSError: if the kernel answers in an unknown way
    """
    number = kernel.architecture().number("landlock_create_ruleset")
    try:
        return kernel.call(number, 0, 0, _CREATE_RULESET_VERSION)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def make_rules(version: int) -> int:
    """Return the descriptor of a rule set that handles every right and grants none.

    :raises OSError: if the kernel refuses
    """
    files = (1 << _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]) - 1
    attributes = struct.pack("=Q", files)
    if version >= _NETWORK_SINCE:
        attributes += struct.pack("=Q", 0b11)
    if version >= _SCOPES_SINCE:
        attributes += struct.pack("=Q", 0b11)
    number = kernel.architecture().number("landlock_create_ruleset")
    return kernel.call(number, ctypes.c_char_p(attributes), len(attributes), 0)


def forbidding(rules: int) -> kernel.Call:
    """Prepare to put a process under a rule set, for good. Needs no_new_privs."""
    return kernel.Call((kernel.architecture().number("landlock_restrict_self"), rules, 0))
