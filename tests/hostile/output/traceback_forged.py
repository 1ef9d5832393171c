# expect: error
# tries: a traceback put together by hand: frames of the harness, a thousand times, with lines below zero
import sys
import types

frame, trace = sys._getframe(), None
while frame:
    for _ in range(500):
        trace = types.TracebackType(trace, frame, -1, -(2**31))
    frame = frame.f_back
raise ValueError("forged").with_traceback(trace)
