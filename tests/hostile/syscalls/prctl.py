# expect: ok error denied
# tries: to undo by prctl what the sandbox did: dumpable, death signal, seccomp, name, memory map, reaper
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for name, *arguments in (
    ("DUMPABLE", 4, 1), ("PDEATHSIG off", 1, 0), ("CHILD_SUBREAPER", 36, 1), ("NO_NEW_PRIVS off", 38, 0),
    ("PTRACER any", 0x59616D61, -1), ("SECCOMP strict", 22, 1), ("TIMING", 14, 1), ("KEEPCAPS", 8, 1),
    ("CAP_AMBIENT", 47, 2, 21), ("SPECULATION_CTRL", 53, 0, 1), ("TSC", 26, 2), ("MCE_KILL", 33, 1, 1),
    ("SET_MM", 35, 8, 4096), ("IO_FLUSHER", 57, 1), ("CORE_SCHED", 62, 1, 0, 0), ("UNALIGN", 6, 1),
):
    if libc.prctl(*arguments) == 0:
        print("BREACH prctl", name)
    print(name, ctypes.get_errno())
