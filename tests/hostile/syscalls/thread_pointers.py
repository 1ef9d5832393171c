# expect: wrong denied crashed
# tries: arch_prctl: the segment bases, CPUID faults, shadow stacks, and wider registers for itself
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(64)
for name, code, value in (
    ("GET_FS", 0x1003, ctypes.addressof(room)), ("SET_GS", 0x1001, ctypes.addressof(room)),
    ("CPUID off", 0x1012, 0), ("GET_XCOMP", 0x1021, ctypes.addressof(room)), ("REQ_XCOMP_PERM", 0x1023, 18),
    ("SHSTK_DISABLE", 0x5002, 1), ("MAP_VDSO_64", 0x2003, 0x10000), ("UNTAG", 0x4001, ctypes.addressof(room)),
):
    if libc.syscall(158, code, ctypes.c_long(value)) == 0:
        print("BREACH arch_prctl", name)
    print(name, ctypes.get_errno(), end="; ")
