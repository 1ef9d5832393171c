# expect: ok wrong error time_limit
# tries: a class, a call, a comprehension and a match statement, each as wide as the compiler takes
for text in (
    "def f(" + ",".join(f"a{i}" for i in range(2000)) + "): pass",
    "dict(" + ",".join(f"a{i}={i}" for i in range(2000)) + ")",
    "[0" + "".join(f" for a{i} in [0]" for i in range(2000)) + "]",
    "match 1:\n" + "".join(f" case {i}: pass\n" for i in range(2000)),
    "try:\n pass\n" + "except E:\n pass\n" * 3000,
    "with " + ",".join(f"a as b{i}" for i in range(2000)) + ": pass",
    "global " + ",".join(f"g{i}" for i in range(9000)),
    "{" * 90 + "}" * 90,
    "a[" * 95 + "1" + "]" * 95,
):
    try:
        compile(text, "wide", "exec")
        print(len(text))
    except (SyntaxError, RecursionError, MemoryError) as refused:
        print(type(refused).__name__, str(refused)[:60])
