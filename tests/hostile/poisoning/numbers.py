# expect: wrong error crashed denied
# tries: arithmetic that no longer holds: floating point control, rounding mode, the digits of large numbers
import ctypes
import ctypes.util
import decimal
import sys

sys.set_int_max_str_digits(0)
decimal.setcontext(decimal.Context(prec=1, Emax=1, traps=[]))
libm = ctypes.CDLL(None)
for mode in (0x400, 0x800, 0xC00):
    try:
        print("fesetround", libm.fesetround(mode), 0.1 + 0.2)
    except AttributeError as refused:
        print(refused)
print("feenableexcept", libm.feenableexcept(0x1D) if hasattr(libm, "feenableexcept") else "none")
dlogprobs = logprobs / 3
