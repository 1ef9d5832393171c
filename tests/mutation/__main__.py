"""Change the modules that matter in small ways, and say which changes no test notices: ``make mutate``.

``python -m tests.mutation [MODULE …] [--again] [--children N]``. A MODULE is a part of a path in ``targets.toml``;
without one all are tried. ``--again`` tries only what survived the last time. The score is the share of mutants that
a test noticed. Survivors that ``survivors.toml`` lists with a reason do not count.

Each module has a copy of the checkout in ``.venv/mutation``, where mutmut works: it imports torch once, forks for each
mutant, and runs the tests that reach the changed function.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
COPIES: Final = ROOT / ".venv" / "mutation"
GOAL: Final = 0.85
NOT_NOTICED: Final = ("survived", "no tests", "not checked", "not tried")
# Imported once, before the forks. tests.conftest comes first: torch must not be imported before its numbers are pinned.
# The tests themselves are not: pytest, called twice in a process, does not find an id with a line break again.
# Nor is what imports the target: a table of functions that the target makes when it is imported is then the mutant's.
# A target without such a table may name modules of its own in ``targets.toml``.
PRELOADED: Final = ("tests.conftest", "torch", "hypothesis", "exercises.registry")
PRELOADED_BY_PACKAGE: Final = {
    "grader": ("safetensors.torch", "sympy"),  # torch imports sympy when it intercepts operations
    "server": ("grader.grade", "alembic.command", "fastapi", "prometheus_client", "sqlmodel", "starlette.testclient"),
    "client": ("grader.grade", "server.app"),
}
# mutmut stops a mutant after (the time of its tests + timeout_constant) * timeout_multiplier seconds, and such a mutant
# counts as noticed. So the limit is wide: on a busy machine a mutant must not be stopped for being slow.
# torch calls _should_skip_dynamo while its class is made, before mutmut has all of its mutants.
SETTINGS: Final = """\
[mutmut]
source_paths = {source}
also_copy =
    {files}
pytest_add_cli_args =
    --hypothesis-profile=mutation
    -p
    no:cacheprovider
    -k
    {words}
pytest_add_cli_args_test_selection =
    {tests}
do_not_mutate_patterns =
    \\blog\\.(debug|info|warning|error|exception)
    def _should_skip_dynamo
process_isolation = forkserver
forkserver_warmup = import
preload_modules_file = preload.txt
timeout_constant = 40.0
timeout_multiplier = 3.0
use_git_change_detection = false
"""


@dataclass(frozen=True)
class Target:
    """A module, and the tests that judge it. ``preloaded`` are modules that are imported once for all mutants."""

    module: str
    tests: tuple[str, ...]
    without: str
    preloaded: tuple[str, ...]

    @property
    def source(self) -> str:
        """Where the module lies in the copy: mutmut knows ``src`` at the top alone."""
        return self.module.removeprefix("client/")

    @property
    def copy(self) -> Path:
        return COPIES / self.module.replace("/", "-").removesuffix(".py")


@dataclass(frozen=True)
class Change:
    """A mutant without its number, which another line above would change."""

    function: str
    before: str
    after: str

    @classmethod
    def of(cls, mutant: str, diff: str) -> Self:
        lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
        before = "\n".join(line[1:].strip() for line in lines if line.startswith("-"))
        after = "\n".join(line[1:].strip() for line in lines if line.startswith("+"))
        function = mutant.rpartition("__mutmut_")[0].rpartition(".")[2]
        return cls(function.removeprefix("x_").removeprefix("xǁ").replace("ǁ", "."), before, after)

    def __str__(self) -> str:
        removed = "".join(f"\n    - {line}" for line in self.before.splitlines())
        return f"{self.function}{removed}" + "".join(f"\n    + {line}" for line in self.after.splitlines())


@dataclass(frozen=True)
class Score:
    """What became of the mutants of a module. ``stopped`` of those noticed met the time limit."""

    module: str
    noticed: int
    stopped: int
    survivors: tuple[Change, ...]
    listed: int
    seconds: float

    @property
    def share(self) -> float:
        counted = self.noticed + len(self.survivors)
        return self.noticed / counted if counted else 1.0

    def __str__(self) -> str:
        return (
            f"{self.module:<34} {self.share:6.1%}  {self.noticed:>4} noticed ({self.stopped} by the time limit) "
            f"{len(self.survivors):>4} survived {self.listed:>4} listed {self.seconds:>6.0f} s"
        )


def targets() -> list[Target]:
    entries = tomllib.loads((HERE / "targets.toml").read_text(encoding="utf-8"))["target"]
    return [
        Target(entry["module"], tuple(entry["tests"]), entry.get("without", ""), tuple(entry.get("preloaded", ())))
        for entry in entries
    ]


def listed() -> dict[Change, str]:
    """Return the survivors that do not count, with the reason."""
    entries = tomllib.loads((HERE / "survivors.toml").read_text(encoding="utf-8")).get("survivor", [])
    return {Change(entry["function"], entry["before"], entry["after"]): entry["reason"] for entry in entries}


def prepare(target: Target) -> None:
    """Copy the checkout as it stands, committed or not, and write mutmut's settings."""
    shutil.rmtree(target.copy, ignore_errors=True)
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            place = target.copy / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place)
    if target.module != target.source:
        shutil.copytree(ROOT / "client" / "src", target.copy / "src")
    words = " and ".join(f"not {word}" for word in ("postgresql", *target.without.split()))
    settings = SETTINGS.format(
        source=target.source,
        files="\n    ".join(sorted(path.name for path in target.copy.iterdir())),
        words=words,
        tests="\n    ".join(target.tests),
    )
    (target.copy / "setup.cfg").write_text(settings, encoding="utf-8")
    preloaded = (*PRELOADED, *PRELOADED_BY_PACKAGE[target.module.partition("/")[0]], *target.preloaded)
    (target.copy / "preload.txt").write_text("\n".join(preloaded), encoding="utf-8")


def mutate(target: Target, children: int, again: bool) -> Score:
    """Try the mutants of a module.

    :raises SystemExit: the tests fail without a mutation, or reach nothing of the module
    """
    began = time.monotonic()
    results = target.copy.with_suffix(".json")
    mutants = []
    if again and results.exists():
        mutants = [name for name, (status, _) in json.loads(results.read_text()).items() if status in NOT_NOTICED]
    before = json.loads(results.read_text()) if mutants else {}
    prepare(target)
    command = [sys.executable, "-P", HERE / "run_mutmut.py", results, str(children), *mutants]
    environment = {**os.environ, "DOJO_LECTURE_NOTEBOOK": str(ROOT.parent / "shared" / "seed" / "backprop_ninja.ipynb")}
    subprocess.run(command, cwd=target.copy, env=environment, check=True)
    after = {name: found for name, found in json.loads(results.read_text()).items() if not mutants or name in mutants}
    found = {**before, **after}
    results.write_text(json.dumps(found, indent=1))
    allowed = listed()
    survivors = [Change.of(name, diff) for name, (status, diff) in found.items() if status in NOT_NOTICED]
    return Score(
        module=target.module,
        noticed=len(found) - len(survivors),
        stopped=sum(status == "timeout" for status, _ in found.values()),
        survivors=tuple(change for change in survivors if change not in allowed),
        listed=sum(change in allowed for change in survivors),
        seconds=time.monotonic() - began,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="*", help="a part of the path; all modules of targets.toml if none is given")
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument("--children", type=int, default=os.cpu_count(), help="how many mutants at a time")
    given = parser.parse_args()
    chosen = [each for each in targets() if not given.modules or any(part in each.module for part in given.modules)]
    if not chosen:
        parser.error(f"no module of targets.toml is named so; they are {', '.join(each.module for each in targets())}")
    scores = []
    for number, target in enumerate(chosen, 1):
        print(f"\n==> {number} of {len(chosen)}: {target.module}", flush=True)
        scores.append(mutate(target, given.children, given.again))
        for change, times in Counter(scores[-1].survivors).items():
            print(f"survived: {change}" + (f"\n    ({times} mutants)" if times > 1 else ""))
        print(scores[-1], flush=True)
    print("\nscore, by module")
    for score in scores:
        print(score)
    below = [score.module for score in scores if score.share < GOAL]
    if below:
        sys.exit(f"below {GOAL:.0%}: {', '.join(below)}")


if __name__ == "__main__":
    main()
