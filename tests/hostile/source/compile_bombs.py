# expect: error memory_limit time_limit
# tries: what is small as text and large when compiled: folded constants, nested f-strings, deep lambdas
bombs = [
    "x = " + "(" * 190 + ")" * 190,
    "x = " + "-" * 100_000 + "1",
    "x = " + "+".join(["1"] * 100_000),
    "x" + ".y" * 100_000,
    "x = " + "lambda: " * 50_000 + "0",
    "x = (" + "'a' * 4096," * 50_000 + ")",
    "f(" + "**{}," * 50_000 + ")",
    "if x:\n pass\n" + "elif x:\n pass\n" * 50_000,
    "x = " + "[y for y in " * 90 + "z" + "]" * 90,
    "while 0:\n" + " x\n" * 200_000,
]
for bomb in bombs:
    try:
        compile(bomb, "bomb", "exec")
    except (SyntaxError, RecursionError, MemoryError) as refused:
        print(type(refused).__name__, str(refused)[:50])
raise SystemError("all bombs survived")
