# expect: ok error denied
# tries: SCM_RIGHTS: to receive descriptors from, or hand some to, whoever is at the other end
import array
import socket

for descriptor in range(64):
    for act in (
        lambda s: s.recvmsg(1, socket.CMSG_SPACE(64), socket.MSG_DONTWAIT | socket.MSG_PEEK),
        lambda s: s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1]))], 64),
    ):
        try:
            end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, descriptor)
            print("BREACH", descriptor, act(end))
            end.detach()
        except OSError:
            pass
print("looked at all")
