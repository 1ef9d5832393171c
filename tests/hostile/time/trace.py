# expect: wrong time_limit error
# tries: to hang the harness by a trace and profile function that outlives the submission
import sys


def hang(frame, event, argument):
    if frame.f_code.co_filename != hang.__code__.co_filename:
        while True:
            pass
    return hang


sys.settrace(hang)
sys.setprofile(hang)
frame = sys._getframe()
while frame:
    frame.f_trace = hang
    frame = frame.f_back
