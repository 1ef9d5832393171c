# expect: ok error denied
# tries: to have descriptor 3 again, for which the filter still lets read and sendmsg through
import ctypes
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)
for name, act in (
    ("dup", lambda: os.dup2(0, 3)),
    ("dup3", lambda: libc.dup3(1, 3, 0)),
    ("fcntl", lambda: libc.fcntl(0, 0, 3)),
    ("open", lambda: os.open("/", 0)),
    ("socket", lambda: socket.socket()),
    ("pipe", lambda: os.pipe()),
    ("memfd", lambda: os.memfd_create("x")),
    ("epoll", lambda: libc.epoll_create1(0)),
    ("landlock", lambda: libc.syscall(441, 0, 0, 0)),
):
    try:
        act()
    except OSError as refused:
        print(name, refused)
room = ctypes.create_string_buffer(4096)
if libc.read(3, room, 4096) >= 0 or libc.write(3, b"x", 1) >= 0 or libc.read(0, room, 1) > 0:
    print("BREACH descriptor 3 is alive", room.raw[:40])
print(ctypes.get_errno())
