# expect: wrong error
# tries: cmp under names that no table of checkpoints has: paths, NULs, giants, numbers, lists, look-alikes
names = ["", "\0", "logprobs\0", "../../etc", "l" * 10**6, "ok", "status", "__class__", 0, None, True, []]
names += [{}, b"logprobs", ("logprobs",), "LOGPROBS", "l\u043egprobs", "dlogprobs", "*", object(), slice(1)]
for name in names:
    try:
        cmp(name, logprobs, logprobs)
    except Exception as refused:
        print(type(refused).__name__, str(refused)[:60])
for arguments in ((), ("logprobs",), ("logprobs", logprobs), ("logprobs", 1, 2, 3), (logprobs, "h", 3)):
    try:
        cmp(*arguments)
    except Exception as refused:
        print(type(refused).__name__, str(refused)[:60])
