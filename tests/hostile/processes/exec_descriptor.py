# expect: ok error denied
# tries: to run a program that never was a file: memfd_create and execveat
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
try:
    program = os.memfd_create("program", 0)
    os.write(program, b"#!/bin/echo BREACH ran a program out of memory\n")
except OSError as refused:
    print(refused)
    program = 1
arguments = (ctypes.c_char_p * 2)(b"program", None)
libc.fexecve(program, arguments, arguments)
libc.syscall(322, program, b"", arguments, arguments, 0x1000)  # execveat, AT_EMPTY_PATH
libc.syscall(322, -100, b"/bin/true", arguments, arguments, 0)
