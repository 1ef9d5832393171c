# expect: wrong error denied
# tries: to read the harness's local variables by walking up the frames
import sys

frame = sys._getframe()
while frame:
    print(frame.f_code.co_name, sorted(frame.f_locals)[:40])
    for name, value in list(frame.f_locals.items()):
        if any(word in name.lower() for word in ("expected", "reference", "token", "secret", "database")):
            print("BREACH a frame holds", name)
        if isinstance(value, dict) and "dlogprobs" in value and value is not globals():
            print("BREACH a frame holds answers that are not mine")
    frame = frame.f_back
for other in sys._current_frames().values():
    print(other.f_code.co_name)
