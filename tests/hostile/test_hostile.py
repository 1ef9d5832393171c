"""Every submission of the corpus, run and graded like any student's.

The first line of each names the outcomes that are allowed, the second what it tries. An outcome is the status
of the run; where the code ran to its end it is also `graded`, and `pass` (all checkpoints right) or `wrong`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from exercises.instance import Instance, Kind
from exercises.registry import find
from grader.grade import Grade, grade_code
from grader.sandbox import Limits, Run, RunStatus, Sandbox
from grader.sandbox.trusted.run_messages import SENTENCES, Cause
from tests.grader.sandbox.traces import Traces

EXERCISE = find("makemore/full-backward")
# One that no student has seen, as code is graded on: the canonical one comes from a seed that all the world
# knows.
INSTANCE = Instance.draw(EXERCISE, 0x5EED, Kind.HIDDEN)
# Short ones: a third of the corpus only wants to waste time.
LIMITS = Limits(cpu_seconds=1, wall_seconds=2.5)
CORPUS = sorted(Path(__file__).parent.glob("*/*.py"))
# Where a run could leave something behind.
PLACES = [Path(place) for place in ("/tmp", "/dev/shm", "/var/tmp") if Path(place).is_dir()]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(limits=LIMITS, most_runs=10**6) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def clean(sandbox: Sandbox) -> Traces:
    """What is there when nothing hostile has run."""
    honest(sandbox)
    gc.collect()  # what tests before have left holds descriptors of this process
    return Traces.settled(sandbox)


# The attacks name the harness's modules and variables as they were when each was written. These are today's names.
RENAMED = {
    '"grader.sandbox.child"': '"grader.sandbox.child.child"',
    '"grader.sandbox.jail"': '"grader.sandbox.locks.jail"',
    '"grader.sandbox.kernel"': '"grader.sandbox.locks.kernel"',
    '"grader.sandbox.result"': '"grader.sandbox.child.result_writer"',
    '"grader.sandbox.protocol"].Task': '"grader.sandbox.protocol"].ReceivedJob',
    '"walls"': '"locks"',
    "result._ENTRY": "result.ENTRY",
    "result._STATUSES": "result.STATUSES",
    "result.Writer.": "result.ResultWriter.",
    "child._play": "child.rehearse",
    "cmp.known": "cmp.forward_names",
}


def with_names_of_today(attack: str) -> str:
    """The attack as it would be written today."""
    for name, today in RENAMED.items():
        attack = attack.replace(name, today)
    return attack


def grade(sandbox: Sandbox, source: str, filename: str) -> Grade:
    return grade_code(INSTANCE, source, filename, sandbox, LIMITS)


def honest(sandbox: Sandbox) -> None:
    assert grade(sandbox, EXERCISE.solution, "honest.py").exact == 26


def outcomes(grade: Grade) -> set[str]:
    assert grade.run is not None
    if grade.run.status is not RunStatus.OK:
        return {grade.run.status.value}
    return {"ok", "graded", "pass" if grade.complete else "wrong"}


def allowed(source: str) -> set[str]:
    first, second, *_ = source.splitlines()
    assert first.startswith("# expect: ") and second.startswith("# tries: ")
    return set(first.removeprefix("# expect: ").split())


def ours(place: Path) -> set[str]:
    """The files that the user of the children owns."""
    owners = {os.geteuid(), 65534} - ({0} if os.geteuid() == 0 else set())
    found = set()
    with os.scandir(place) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # somebody else's, gone since the folder was read
                if entry.stat(follow_symlinks=False).st_uid in owners:
                    found.add(entry.name)
    return found


# The README's table, as it was when this was written. Attacks are added, and none is taken away.
FILES_AT_LEAST = {
    "deaths": 29, "derivation": 18, "disk": 11, "files": 19, "forging": 50, "honest": 14, "memory": 18, "output": 33,
    "poisoning": 25, "processes": 18, "sockets": 8, "source": 42, "stealing": 22, "syscalls": 51, "tensors": 40,
    "time": 29,
}  # fmt: skip


def test_attacks_name_modules_that_exist() -> None:
    attacks = [with_names_of_today(path.read_text(encoding="utf-8")) for path in CORPUS]

    named = {name for attack in attacks for name in re.findall(r'sys\.modules\["(grader[\w.]*)"\]', attack)}

    assert len(named) >= 8
    for name in named:
        importlib.import_module(name)


def test_no_attack_is_lost() -> None:
    files = Counter(path.parent.name for path in CORPUS)

    assert len(CORPUS) >= 427
    assert not {folder: files[folder] for folder, floor in FILES_AT_LEAST.items() if files[folder] < floor}


def test_the_readme_counts_the_corpus() -> None:
    files = Counter(path.parent.name for path in CORPUS)

    table = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")

    assert {name: int(count) for name, count in re.findall(r"^\| `(\w+)/` \|.*\| (\d+) \|$", table, re.M)} == files
    assert f"**{len(CORPUS)}**" in table


# A run that was killed has no answers; one that stopped otherwise keeps those that it had got to.
KILLED = {RunStatus.TIME_LIMIT, RunStatus.CRASHED}


def was_killed(run: Run) -> bool:
    return run.status in KILLED or run.message == SENTENCES[Cause.FORBIDDEN_CALL]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_hostile(path: Path, sandbox: Sandbox, clean: Traces) -> None:
    source = with_names_of_today(path.read_text(encoding="utf-8"))
    files = [ours(place) for place in PLACES]

    started = time.monotonic()
    got = grade(sandbox, source, path.name)
    took = time.monotonic() - started

    assert got.run is not None
    assert outcomes(got) & allowed(source), (
        got.run.status,
        got.run.message,
        got.run.stdout[-2000:],
        got.passed,
    )
    handed_in = [name for name, answer in got.run.answers.items() if answer.tensor is not None]
    assert len(got.run.answers) == 26
    if was_killed(got.run):
        assert handed_in == [] and got.passed == 0
    assert got.passed <= len(handed_in)
    assert got.complete is (got.run.status is RunStatus.OK and got.passed == 26)
    breaches = [line for line in got.run.stdout.splitlines() if line.startswith("BREACH")]
    assert not breaches
    assert took < LIMITS.wall_seconds + 1
    honest(sandbox)
    Traces.settled(sandbox, like=clean)
    assert [ours(place) for place in PLACES] == files


# An honest solution, and the harness made to write its answers down before the attack begins.
FORGERY = EXERCISE.solution + "\nimport sys\nsys._getframe().f_back.f_locals['self']._conclude('ok', '')\n"
DEADLY = [path for path in CORPUS if path.parent.name == "forging" and KILLED & allowed(path.read_text("utf-8"))]


@pytest.mark.parametrize("path", DEADLY, ids=lambda path: path.stem)
def test_answers_forged_before_a_kill_are_not_read(path: Path, sandbox: Sandbox) -> None:
    got = grade(sandbox, FORGERY + with_names_of_today(path.read_text(encoding="utf-8")), path.name)

    assert got.run is not None
    if was_killed(got.run):
        assert got.passed == 0 and all(answer.tensor is None for answer in got.run.answers.values())


def test_answers_forged_before_an_orderly_end_are_read(sandbox: Sandbox) -> None:
    assert grade(sandbox, FORGERY + "import os\nos._exit(0)", "forged.py").passed == 26
