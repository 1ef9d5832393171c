"""``python -m tests.styles``: play every right style on drawn numbers, and print the rows that did not pass.

A style is a whole right derivation, so each row that does not pass is a false alarm, and so is each diagnosis.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader import numerics

if TYPE_CHECKING:
    from grader.compare import Comparison
    from tests.styles.catalogue import Style

FIRST_SEED = 700_001  # seeds that no other test draws


def main() -> int:
    """Print the counts by style, and return 1 if a right answer has a row that did not pass."""
    numerics.pin()
    from exercises.instance import Instance, Kind
    from exercises.registry import find
    from tests.mistakes.play import play
    from tests.styles.catalogue import load

    options = _options()
    seeds = range(options.first_seed, options.first_seed + options.instances)
    styles = load()
    instances = {
        slug: [Instance.draw(find(slug), seed, Kind.HIDDEN) for seed in seeds]
        for slug in sorted({style.exercise for style in styles})
    }
    tally = Tally()
    for style in styles:
        print(tally.add(style, [play(instance, style.source) for instance in instances[style.exercise]]), flush=True)
    print(tally)
    return 1 if tally.failed else 0


@dataclass
class Tally:
    """Counts over all styles. A ``failed`` answer has a row that did not pass, or one with a diagnosis."""

    answers: int = 0
    failed: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, style: Style, answers: Sequence[Sequence[Comparison]]) -> str:
        """Count the answers of a style, and return its line of the table."""
        wrong = [[row for row in rows if not row.passed or row.diagnosis] for rows in answers]
        failed = sum(map(bool, wrong))
        self.answers += len(answers)
        self.failed += failed
        self.verdicts.update(row.verdict.value for rows in answers for row in rows)
        kinds = Counter(
            f"{row.name} {row.verdict}{f' ({row.origin})' * bool(row.origin)}" for rows in wrong for row in rows
        )
        found = ", ".join(f"{kind} x{count}" for kind, count in kinds.most_common())
        return f"{failed:4} of {len(answers)}  {style}" + (f": {found}" if found else "")

    def __str__(self) -> str:
        counts = ", ".join(f"{verdict} {count}" for verdict, count in self.verdicts.most_common())
        rows = self.verdicts.total()
        return f"{self.failed} of {self.answers} answers have a row that did not pass; {rows} rows: {counts}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.styles", description=__doc__)
    parser.add_argument("--instances", type=int, default=40, help="drawn instances")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="the seed of the first of them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
