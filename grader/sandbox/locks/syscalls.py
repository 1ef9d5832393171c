"""System call numbers of the two architectures that the sandbox knows: (x86_64, aarch64), or None.

From the kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). A test compares
them with the headers of the machine that it runs on, if those are installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Numbers = dict[str, tuple[int | None, int | None]]

# What a warm child may need, with or without conditions (see seccomp.py), and what the lock-in itself calls.
NEEDED: Final[Numbers] = {
    "brk": (12, 214),
    "munmap": (11, 215),
    "mmap": (9, 222),
    "madvise": (28, 233),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "restart_syscall": (219, 128),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "read": (0, 63),
    "write": (1, 64),
    "sendmsg": (46, 211),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "capset": (126, 91),
    "capget": (125, 90),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
}

# What the zygote and the lock-in call and the filter refuses afterwards.
LOCK_IN: Final[Numbers] = {
    "setsid": (112, 157),
    "getsid": (124, 156),
    "getppid": (110, 173),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "setgroups": (116, 159),
    "setresgid": (119, 149),
    "setresuid": (117, 147),
    "dup3": (292, 24),
    "fstat": (5, 80),
    "ppoll": (271, 73),
    "sendto": (44, 206),
}

# Refused with "permission denied", so that Python's own exception tells what was refused.
FILES: Final[Numbers] = {
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "creat": (85, None),
    "stat": (4, None),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents": (78, None),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "utime": (132, None),
    "utimes": (235, None),
    "utimensat": (280, 88),
    "futimesat": (261, None),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "getxattr": (191, 8),
    "lgetxattr": (192, 9),
    "listxattr": (194, 11),
    "llistxattr": (195, 12),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
}

# Nobody calls these by accident: the kernel kills the process.
HOSTILE: Final[Numbers] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_setup": (206, 0),
    "io_submit": (209, 2),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "mount_setattr": (442, 442),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "lookup_dcookie": (212, 18),
    "personality": (135, 92),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "memfd_secret": (447, 447),
    "remap_file_pages": (216, 234),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "vmsplice": (278, 75),
    "rt_sigreturn": (15, 139),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "create_module": (174, None),
}


@dataclass(frozen=True, slots=True)
class Architecture:
    """One processor architecture, as seccomp sees it."""

    name: str  # as os.uname().machine gives it
    audit: int  # AUDIT_ARCH_*, as seccomp sees it
    column: int  # in the tables above
    other_entry: int | None  # numbers from here on belong to another entry into the same kernel (x32)

    def number(self, name: str) -> int:
        """Return the number of a needed call.

        :raises LookupError: if this architecture has no such call
        """
        number = next(table[name] for table in (NEEDED, LOCK_IN, FILES) if name in table)[self.column]
        if number is None:
            raise LookupError(f"{name} does not exist on {self.name}")
        return number

    def numbers(self, table: Numbers) -> list[int]:
        """Return the numbers of all calls of a table that this architecture has."""
        return [number for row in table.values() if (number := row[self.column]) is not None]


ARCHITECTURES: Final = {
    "x86_64": Architecture("x86_64", 0xC000_003E, 0, 0x4000_0000),
    "aarch64": Architecture("aarch64", 0xC000_00B7, 1, None),
}
