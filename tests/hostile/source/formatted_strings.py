# expect: error ok wrong
# tries: format strings within format strings, in their specifications, and two thousand in a row
for depth in (5, 100, 2000):
    for text in ("f'{" * depth + "1" + "}'" * depth, "f'{1:{" * depth + "1" + "}}'" * depth, "f'{1}'" * depth, "f'{1:" + "{2}" * depth + "}'"):
        try:
            print(len(str(eval(text))))
        except (SyntaxError, RecursionError, MemoryError, ValueError) as refused:
            print(type(refused).__name__, str(refused)[:60])
