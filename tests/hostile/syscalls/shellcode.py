# expect: crashed denied ok error memory_limit
# tries: to run its own machine code: from the heap, the stack, a bytes object, a tensor
import ctypes

code = bytes.fromhex("b82a000000c3")  # mov eax, 42; ret
held = torch.frombuffer(bytearray(code * 100), dtype=torch.uint8)
libc = ctypes.CDLL(None, use_errno=True)
libc.personality(0x0400000)  # READ_IMPLIES_EXEC
for address in (held.data_ptr(), id(code) + bytes.__basicsize__ - 1):
    page = ctypes.c_void_p(address & ~4095)
    libc.mprotect(page, ctypes.c_size_t(8192), 7)
    if ctypes.CFUNCTYPE(ctypes.c_int)(address)() == 42:
        print("BREACH ran its own machine code")
