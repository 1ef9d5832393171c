"""The lists of ``make mutate`` fit the repository. mutmut itself is not needed here."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.mutation.__main__ import ROOT, Change, Score, listed, targets

DIFF = """\
--- server/pace.py
+++ server/pace.py
@@ -1,4 +1,4 @@
 def require(session: Session, student_id: int, most: int) -> None:
-    if most == 0:
+    if most == 1:
         return
"""


def test_each_target_and_its_tests_exist() -> None:
    paths = [path for target in targets() for path in (target.module, *target.tests)]

    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path.partition("::")[0]).exists()] == []


def test_each_listed_survivor_has_a_reason() -> None:
    assert [change for change, reason in listed().items() if not reason.strip()] == []


def functions(module: str) -> Iterator[tuple[str, set[str]]]:
    """The functions of a module and the methods of its classes, each with its lines."""
    source = (ROOT / module).read_text(encoding="utf-8")
    lines = [line.strip() for line in source.splitlines()]
    tree = ast.parse(source)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for prefix, body in [("", tree.body), *((f"{each.name}.", each.body) for each in classes)]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + node.name, set(lines[node.lineno - 1 : node.end_lineno])


def test_each_listed_survivor_is_still_in_the_code() -> None:
    named = defaultdict(list)
    for target in targets():
        for name, lines in functions(target.module):
            named[name].append(lines)

    gone = [
        each for each in listed() if not any(lines >= set(each.before.splitlines()) for lines in named[each.function])
    ]

    assert gone == []


def test_a_change_is_known_by_its_lines() -> None:
    expected = Change("require", "if most == 0:", "if most == 1:")

    assert Change.of("server.pace.x_require__mutmut_2", DIFF) == expected
    assert Change.of("server.pace.x_require__mutmut_7", DIFF) == expected


def test_a_method_is_named_with_its_class() -> None:
    assert Change.of("server.pace.xǁPaceǁrequire__mutmut_2", DIFF).function == "Pace.require"


def test_listed_survivors_do_not_count() -> None:
    survivor = Change("require", "if most == 0:", "if most == 1:")

    assert Score("pace.py", noticed=3, stopped=0, survivors=(survivor,), listed=5, seconds=1.0).share == 0.75
