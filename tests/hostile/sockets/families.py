# expect: ok error denied
# tries: a socket of every family and kind
import socket

for family in range(46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind)
            print("BREACH a socket of family", family)
        except OSError:
            pass
print("tried them all")
