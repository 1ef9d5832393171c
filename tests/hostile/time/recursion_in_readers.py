# expect: wrong error crashed memory_limit time_limit
# tries: depth without end in C: repr, json, pickle, copy, ast, format, isinstance, abc, comparison
import ast
import copy
import json
import pickle

deep, table, kinds = [], {}, (int,)
for _ in range(100_000):
    deep, table, kinds = [deep], {"a": table}, (kinds,)
for name, act in (
    ("repr", lambda: repr(deep)), ("json", lambda: json.dumps(table)), ("loads", lambda: json.loads("[" * 100_000)),
    ("pickle", lambda: pickle.dumps(deep)), ("copy", lambda: copy.deepcopy(deep)), ("isinstance", lambda: isinstance(1, kinds)),
    ("ast", lambda: ast.literal_eval("(" * 50_000)), ("dump", lambda: ast.dump(ast.parse("-" * 900 + "1"))),
    ("tensor", lambda: torch.tensor(deep)), ("equal", lambda: deep == copy.copy(deep)), ("format", lambda: f"{deep}"),
):
    try:
        act()
    except (RecursionError, ValueError, MemoryError, SyntaxError, TypeError) as refused:
        print(name, type(refused).__name__)
