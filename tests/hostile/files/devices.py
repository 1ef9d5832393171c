# expect: ok error denied
# tries: devices: the terminal, memory, disks, random numbers, a new pseudo terminal
import os

names = "tty null zero full urandom mem kmsg ptmx fuse kvm vda sda loop0 shm mqueue net/tun stdin console"
for name in names.split():
    for flags in (os.O_RDONLY, os.O_RDWR):
        try:
            print("BREACH opened /dev/" + name, os.open("/dev/" + name, flags))
        except OSError as refused:
            print(name, refused.errno, end=" ")
try:
    print("BREACH a pseudo terminal", os.openpty())
except OSError as refused:
    print(refused)
