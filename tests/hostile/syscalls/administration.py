# expect: ok error denied
# tries: an administrator's calls, which a container with left-over capabilities would allow
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(4096)
for name, *arguments in (
    ("syslog", 103, 3, room, 4096), ("sethostname", 170, b"hostile", -1), ("reboot", 169, 0, 0, 0, 0),
    ("init_module", 175, room, 1, b""), ("delete_module", 176, b"hostile", 0),
    ("kexec_load", 246, 0, 0, None, 0),
    ("acct", 163, b"/hostile-none"), ("vhangup", 153), ("lsm_list_modules", 461, room, room, 0),
    ("move_pages", 279, 1, 0, None, None, None, 0), ("get_mempolicy", 239, room, None, 0, None, 0),
):
    if libc.syscall(*arguments) >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno())
