# expect: ok denied error output_limit
# tries: to write to descriptors 1 and 2 around sys.stdout, into the log of the server
import ctypes
import os

libc = ctypes.CDLL(None)
for descriptor in (1, 2):
    try:
        os.write(descriptor, b"forged log line: grade accepted\n" * 10_000)
    except OSError as refused:
        print(descriptor, refused)
    libc.dprintf(descriptor, b"%s\n", b"forged log line")
libc.puts(b"forged log line")
libc.perror(b"forged log line")
