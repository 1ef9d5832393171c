"""``python -m tests.mistakes``: score the diagnosis on the catalogue of mistakes.

It prints how many answers have their mistakes found in the right steps and in no other, how many kinds are named right,
how many are unknown, and how many are named wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from grader import numerics

if TYPE_CHECKING:
    from exercises.instance import Instance
    from grader.compare import Comparison
    from tests.mistakes.catalogue import Mistake

SEED = 2147483647


@dataclass
class Score:
    """Counts over answers (``steps``) and over mistakes (``kinds``).

    ``written`` counts the mistakes in the answers, ``mistakes`` those of them that the grader judged. A grader that
    judges nothing has ``mistakes == 0``, so every test compares the two.
    """

    answers: int = 0
    steps: int = 0
    written: int = 0
    mistakes: int = 0
    kinds: int = 0
    unknown: int = 0
    false: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, mistakes: Sequence[Mistake], rows: Sequence[Comparison]) -> None:
        """Count an answer that holds these mistakes."""
        own = {row.name: [each.code for each in row.diagnosis] for row in rows if row.origin == "own"}
        # A row of unknown origin was not reached or cannot be judged; or it passed, since two wrong signs cancel.
        known = ("own", "inherited")
        reached = {row.name for row in rows if row.origin in known or (row.passed and len(mistakes) == 1)}
        expected = {mistake.first: mistake for mistake in mistakes if mistake.first in reached}
        self.answers += 1
        self.written += len(mistakes)
        self.steps += set(own) == set(expected)
        if set(own) != set(expected):
            self.missed.append(f"step   {' + '.join(map(str, mistakes))}\n       found own: {own}")
        for name, mistake in expected.items():
            codes = own.get(name, [])
            self.mistakes += 1
            self.kinds += bool(mistake.codes & set(codes))
            self.unknown += codes == ["unknown"]
            if not mistake.codes & set(codes):
                self.false += codes not in ([], ["unknown"])
                self.missed.append(f"kind   {mistake}\n       {sorted(mistake.codes)}, found: {codes}")

    def __str__(self) -> str:
        steps = f"own steps right {self.steps}/{self.answers} ({self.steps / self.answers:.1%})"
        kinds = f"kind right {self.kinds}/{self.mistakes} ({self.kinds / self.mistakes:.1%})"
        return f"{steps}, {kinds}, unknown {self.unknown}, false {self.false} ({self.false / self.mistakes:.1%})"


def main() -> int:
    """Score a folder of mistakes and print the figures."""
    numerics.pin()
    from tests.mistakes.catalogue import HERE, load, load_several

    options = _options()
    folder = options.folder or HERE
    mistakes = load(folder)
    several = [(group[0].exercise, group) for group in load_several(folder / "several")]
    for label, instances in _instances(options.instances):
        sets = {f"{together} at once": list(_groups(mistakes, together, options.groups)) for together in (1, 2, 3)}
        for name, groups in (sets | {"several, as written": several}).items():
            score = Score()
            for slug, group in groups:
                _add(score, instances[slug], slug, group)
            if score.answers:
                print(f"{label}, {name}: {score}", flush=True)
            if options.missed:
                print("\n".join(score.missed))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mistakes", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="another folder of mistakes")
    parser.add_argument("--instances", type=int, default=3, help="drawn instances besides the canonical one")
    parser.add_argument("--groups", type=int, default=200, help="pairs and triples drawn at random")
    parser.add_argument("--missed", action="store_true", help="print what was missed")
    return parser.parse_args()


def _add(score: Score, instance: Instance, slug: str, group: list[Mistake]) -> None:
    from tests.mistakes.catalogue import source
    from tests.mistakes.play import play

    score.add(group, play(instance, source(slug, group)))


def _groups(mistakes: list[Mistake], together: int, most: int) -> Iterable[tuple[str, list[Mistake]]]:
    """Yield each mistake alone, or groups of mistakes in different lines of the first exercise."""
    if together == 1:
        yield from ((mistake.exercise, [mistake]) for mistake in mistakes)
        return
    chosen = random.Random(SEED)
    # Without the mistake that leaves zeros at the top: below it no origin can be told.
    many = [
        mistake for mistake in mistakes if mistake.exercise == "makemore/full-backward" and mistake.written != ("pass",)
    ]
    found = 0
    while many and found < most:
        group = chosen.sample(many, together)
        if all(not a.touches(b) for a in group for b in group if a is not b) and len(
            {mistake.first for mistake in group}
        ) == len(group):
            found += 1
            yield "makemore/full-backward", group


def _instances(drawn: int) -> Iterable[tuple[str, dict[str, Instance]]]:
    from exercises.instance import Instance, Kind
    from exercises.registry import exercises

    yield "canonical", {slug: Instance.canonical(exercise) for slug, exercise in exercises().items()}
    for seed in range(1, drawn + 1):
        yield (
            f"drawn {seed}",
            {slug: Instance.draw(exercise, seed, Kind.HIDDEN) for slug, exercise in exercises().items()},
        )


if __name__ == "__main__":
    sys.exit(main())
