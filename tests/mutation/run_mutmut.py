"""Run mutmut in the current folder, with operators of our own, and write what became of each mutant.

A script, not a module: the folder's ``mutants/`` alone may answer when a test imports the project.

``python -P run_mutmut.py RESULTS CHILDREN [MUTANT …]`` tries the named mutants, or all, CHILDREN at a time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import libcst as cst
from mutmut.__main__ import cli
from mutmut.mutation import mutators
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files

PYTEST_FAILED = 255  # the child's exit code if pytest raised


def change_key(node: cst.BaseString) -> Iterable[cst.BaseString]:
    """Change a word: a key, a status, a column. A sentence for people is not judged word by word."""
    if isinstance(node, cst.SimpleString) and not node.prefix and len(node.quote) == 1 and " " not in node.value:
        yield node.with_changes(value=f"{node.quote}XX{node.raw_value}XX{node.quote}")


def drop_call(node: cst.Expr) -> Iterable[cst.Expr]:
    """Leave out a call that is made for its effect."""
    if isinstance(node.value, cst.Call | cst.Await):
        yield node.with_changes(value=cst.Ellipsis())


def set_operators() -> None:
    """Replace mutmut's mutations of strings, three for each literal, and add one that it lacks."""
    operators = [pair for pair in mutators.mutation_operators if pair[1] is not mutators.operator_string]
    operators += [(cst.BaseString, change_key), (cst.Expr, drop_call)]
    mutators.mutation_operators[:] = operators


def write_results(path: Path) -> None:
    """Write ``{mutant: [status, diff]}``; the diff of a killed mutant is empty.

    A mutant is ``not tried`` if pytest could not run its tests, which mutmut tells as a timeout.
    """
    results = {}
    for source in walk_mutatable_files():
        data = SourceFileMutationData(path=source)
        data.load()
        for name, code in data.exit_code_by_key.items():
            status = "not tried" if code == PYTEST_FAILED else status_by_exit_code[code]
            noticed = status not in ("survived", "no tests", "not checked", "not tried")
            results[name] = [status, "" if noticed else get_diff_for_mutant(name, path=source)]
    path.write_text(json.dumps(results, indent=1))


def main(results: str, children: str, *mutants: str) -> None:
    set_operators()
    cli(["run", "--max-children", children, *mutants], standalone_mode=False)
    write_results(Path(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
