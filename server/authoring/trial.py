"""A pasted forward pass, tried in a process of its own: its steps, its key, and its proof.

Nobody's Python is run: the lines are read as the language of exercises. But they may ask for large tensors or long
loops, so the process has limits of its own, and holds nothing of the server.

This file is also that process's program.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

TEXT_CHARACTERS_MAX: Final = 32 * 1024
CPU_SECONDS_MAX: Final = 40
PROOF_CPU_SECONDS_MAX: Final = 120
WALL_SECONDS_MAX: Final = 240.0  # on a machine that has much to do
DATA_BYTES_MAX: Final = 1536 * 1024 * 1024  # torch itself takes 300 MiB
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
NICENESS: Final = 10
PACK: Final = "my-pack"
NAME: Final = "exercise"


@dataclass(frozen=True)
class Wanted:
    """What to try: the text of ``given``, the lines, and whether to prove them."""

    given: str
    lines: str
    is_proved: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why the lines are no exercise. ``line`` counts from 1; None if it is about all of them."""

    line: int | None
    reason: str


@dataclass(frozen=True)
class Step:
    """A step with its line, and the shape of what it sets."""

    name: str
    text: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class KeyLine:
    """A derived line. ``verdict`` is exact, right or wrong."""

    name: str
    code: str
    verdict: str


@dataclass(frozen=True)
class Proved:
    """What a proof found: how many mistakes were tried, found and named, and a sentence for each fault."""

    mistakes: int
    located: int
    named: int
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """What came of it. ``notes`` say what was read in another way than it is written; ``files`` are the folder's."""

    refusal: Refusal | None = None
    notes: tuple[tuple[int, str], ...] = ()
    steps: tuple[Step, ...] = ()
    key: tuple[KeyLine, ...] = ()
    proved: Proved | None = None
    files: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_json(cls, found: dict[str, Any]) -> Trial:
        """Return a trial from its JSON."""
        refusal, proved = found["refusal"], found["proved"]
        return cls(
            None if refusal is None else Refusal(**refusal),
            tuple((line, text) for line, text in found["notes"]),
            tuple(Step(each["name"], each["text"], tuple(each["shape"])) for each in found["steps"]),
            tuple(KeyLine(**each) for each in found["key"]),
            None if proved is None else Proved(**{**proved, "faults": tuple(proved["faults"])}),
            tuple((name, text) for name, text in found["files"]),
        )


TOO_MUCH: Final = Trial(
    Refusal(None, "It takes too long or too much memory to read. Use smaller tensors, and shorter loops.")
)
TOO_LONG: Final = Trial(
    Refusal(None, f"Given and lines together may have {TEXT_CHARACTERS_MAX // 1024} KiB. Paste a smaller forward pass.")
)


NOTHING: Final = Trial(Refusal(None, "There are no lines. Paste a forward pass whose last line sets loss."))


def try_apart(wanted: Wanted, program: Sequence[str] = (sys.executable, "-I", __file__)) -> Trial:
    """Try a forward pass in a process of its own. Its files go with it, even if it is killed."""
    if not wanted.lines.strip():
        return NOTHING
    if len(wanted.given) + len(wanted.lines) > TEXT_CHARACTERS_MAX:
        return TOO_LONG
    with tempfile.TemporaryDirectory(prefix="dojo-trial-") as place, (Path(place) / "answer").open("w+b") as answer:
        try:
            ended = subprocess.run(
                program,
                input=json.dumps(asdict(wanted)).encode(),
                stdout=answer,
                stderr=subprocess.DEVNULL,
                timeout=WALL_SECONDS_MAX,
                env={"TMPDIR": place},  # and nothing of ours: that holds secrets of the server
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired:
            return TOO_MUCH
        answer.seek(0)
        content = answer.read(ANSWER_BYTES_MAX + 1)
    if ended.returncode != 0 or len(content) > ANSWER_BYTES_MAX:
        return TOO_MUCH
    return Trial.of_json(json.loads(content))


def try_out(wanted: Wanted) -> Trial:
    """Try a forward pass in this process."""
    from author.paste.document import split
    from author.paste.folder import write
    from author.paste.pasting import paste
    from exercises.errors import PackError
    from exercises.language.errors import GivenRefused, Refused

    try:
        pasted = paste(split(wanted.lines, wanted.given))
        with tempfile.TemporaryDirectory(prefix="dojo-trial-") as place:
            folder = Path(place) / PACK / NAME
            write(pasted, folder)
            return _tried(folder, tuple((each.line, each.text) for each in pasted.notes), wanted.is_proved)
    except Refused as refused:
        if isinstance(refused, GivenRefused):
            return Trial(Refusal(None, f"Given, line {refused.line}: {refused.reason}. {refused.advice}"))
        return Trial(Refusal(refused.line, f"{refused.reason}. {refused.advice}"))
    except PackError as error:
        return Trial(Refusal(None, str(error)))


def _tried(folder: Path, notes: tuple[tuple[int, str], ...], is_proved: bool) -> Trial:
    from author.derive.checked import checked
    from author.derive.key import answer_key, derivations_of, key_of, samples_of
    from exercises.derivations import written
    from exercises.folder import load

    exercise = load(folder, PACK)
    key = key_of(exercise)
    lines = checked(exercise.forward, samples_of(exercise), key.lines)
    (folder / "solution.py").write_text(answer_key(exercise), encoding="utf-8")
    (folder / "derivations.md").write_text(written(derivations_of(exercise)), encoding="utf-8")
    files = sorted(path for path in folder.parent.rglob("*") if path.is_file())
    return Trial(
        notes=notes,
        steps=tuple(Step(name, text, key.shapes[name]) for name, text in exercise.lines.items()),
        key=tuple(
            KeyLine(each.line.name, each.line.code, "exact" if each.is_exact else "right" if each.is_right else "wrong")
            for each in lines
        ),
        proved=_proved(folder) if is_proved else None,
        files=tuple((str(path.relative_to(folder.parent)), path.read_text(encoding="utf-8")) for path in files),
    )


def _proved(folder: Path) -> Proved:
    from author.prove.prove import prove
    from author.prove.subject import QUICK
    from exercises.folder import load

    # No sandbox: the solution was written by our own rules, and the proof checks them without it.
    proof = prove(load(folder, PACK), QUICK)
    return Proved(proof.mistakes + proof.between, proof.located, proof.named, tuple(proof.faults()))


def _main() -> None:
    """Answer one request. ``-I`` leaves out the project's folder; the packages may lie there and not be installed."""
    sys.path.append(str(Path(__file__).parents[2]))
    wanted = Wanted(**json.loads(sys.stdin.buffer.read()))
    os.nice(NICENESS)
    seconds = PROOF_CPU_SECONDS_MAX if wanted.is_proved else CPU_SECONDS_MAX
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES_MAX, DATA_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (ANSWER_BYTES_MAX + 1, ANSWER_BYTES_MAX + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from grader import numerics

    numerics.pin()
    sys.stdout.write(json.dumps(asdict(try_out(wanted))))


if __name__ == "__main__":
    _main()
