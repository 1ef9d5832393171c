# expect: wrong error
# tries: the parser's own jokes: barry_as_FLUFL, annotations that are never evaluated, braces
from __future__ import annotations, barry_as_FLUFL

dlogprobs: open("/etc/passwd") = logprobs
if 1 <> 2:
    from __future__ import braces
# !noparse
