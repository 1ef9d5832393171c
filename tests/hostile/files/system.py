# expect: ok error denied
# tries: what /sys, /run and the container's mounts tell of the machine and its secrets
import os

for path in (
    "/sys/kernel/debug", "/sys/fs/cgroup/cgroup.procs", "/sys/class/net", "/sys/devices/system/cpu/online",
    "/proc/sys/kernel/random/boot_id", "/proc/version", "/proc/mounts", "/proc/net/tcp", "/proc/keys",
    "/proc/kallsyms", "/proc/cpuinfo", "/proc/sysrq-trigger", "/run/secrets", "/var/run/docker.sock",
    "/.dockerenv", "/etc/shadow", "/home", "/var/lib/kubelet", "/var/run/secrets/kubernetes.io",
):
    for act in (os.listdir, open):
        try:
            act(path)
            print("BREACH", path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            print("BREACH the file system answered about", path)
        except OSError as refused:
            print(path, refused.errno)
