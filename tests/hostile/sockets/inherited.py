# expect: ok error denied
# tries: the sockets that the zygote may have left open: peer names, credentials, reading its next request
import socket

for descriptor in range(4096):
    try:
        left = socket.socket(fileno=descriptor)
        print("BREACH descriptor", descriptor, "is a socket", left.family, left.type)
        left.setblocking(False)
        print("BREACH peer", left.getpeername(), left.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        print("BREACH received", left.recv(4096, socket.MSG_PEEK))
    except (OSError, ValueError):
        pass
print("looked at all")
