"""The exit notification: the kernel tells the trusted side that a child has called ``exit_group``, with the exit code.

The kernel holds the child there, so it never runs another instruction. ``locks/seccomp.py`` makes the listener.
"""

from __future__ import annotations

import fcntl
import struct
from typing import Final

# struct seccomp_notif { u64 id; u32 pid; u32 flags; struct seccomp_data { int nr; u32 arch; u64 ip; u64 args[6]; } }
_NOTIFICATION: Final = struct.Struct("=QIIiIQ6Q")
_FIRST_ARGUMENT: Final = 6
_RECEIVE: Final = 0xC050_2100  # SECCOMP_IOCTL_NOTIF_RECV, linux/seccomp.h


def read_exit_code(listener: int) -> int:
    """Return the exit code of a child that has called ``exit_group``. Call it when the listener is readable.

    :raises OSError: if the child was killed in the meantime
    """
    answer = fcntl.ioctl(listener, _RECEIVE, bytes(_NOTIFICATION.size))
    code: int = _NOTIFICATION.unpack(answer)[_FIRST_ARGUMENT]
    return code & 0xFF
