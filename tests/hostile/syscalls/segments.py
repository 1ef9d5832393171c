# expect: ok error denied crashed
# tries: the processor's own doors: modify_ldt, arch_prctl, iopl, ioperm, vm86, set_thread_area
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
entry = (ctypes.c_uint32 * 4)(0, 0, 0xFFFFF, 0x51)
for name, *arguments in (
    ("modify_ldt", 154, 1, entry, 16), ("iopl", 172, 3), ("ioperm", 173, 0, 16, 1),
    ("set_thread_area", 205, entry),
    ("arch_prctl, CPUID faults", 158, 0x1012, 0), ("arch_prctl, shadow stack", 158, 0x5001, 1),
    ("arch_prctl, amx", 158, 0x1023, 18), ("map_shadow_stack", 453, 0, 4096, 1),
    ("remap_file_pages", 216, 0, 0, 0, 0, 0),
):
    if libc.syscall(*arguments) >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno())
