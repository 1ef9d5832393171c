# expect: wrong crashed error
# tries: to outlive the harness's farewell: os._exit does nothing, sys.exit neither, and Python goes on
import os
import signal
import sys

os._exit = sys.exit = os.abort = os.kill = signal.raise_signal = lambda *a, **k: None
dlogprobs = logprobs
