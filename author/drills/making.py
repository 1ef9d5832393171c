"""Drawing drills: the sizes and numbers of a template from a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from author.derive.key import key_lines
from author.drills.templates import TEMPLATES, Template
from exercises.exercise import Checkpoint, Exercise
from exercises.folder import GivenNumbers
from exercises.language import given, reader
from grader.diagnosis.codes import Code

SIZES: Final = range(4, 9)
NUMBERS: Final = (3, 5, 7)
PACK: Final = "drills"


@dataclass(frozen=True)
class Drill:
    """A drill: ``number`` counts those of a kind from 1."""

    kind: Code
    number: int
    template: Template

    @property
    def name(self) -> str:
        """The name of its folder: ``missing-term-1``."""
        return f"{self.kind.replace('_', '-')}-{self.number}"

    @property
    def slug(self) -> str:
        """The slug of its exercise."""
        return f"{PACK}/{self.name}"

    @cached_property
    def exercise(self) -> Exercise:
        """The exercise as the registry would load it, without its texts."""
        source = given.read(self.template.given)
        return Exercise(
            slug=self.slug,
            revision=1,
            title=self.name,
            summary="",
            statement="",
            solution="",
            checkpoints=tuple(map(Checkpoint, self.template.asked)),
            forward=reader.read(self.template.lines, source.samples()),
            numbers=GivenNumbers(source),
            data=frozenset(source.data),
        )

    @cached_property
    def right(self) -> str:
        """The right answer."""
        return "\n".join(line.code for line in key_lines(self.exercise))

    @cached_property
    def wrong(self) -> str:
        """The answer of somebody who falls into the trap."""
        replaced = self.template.wrong.partition(" = ")[0]
        return "\n".join(
            self.template.wrong if line.answer == replaced else line.code for line in key_lines(self.exercise)
        )


def drills(seed: int = 0) -> Iterator[Drill]:
    """Yield the drills of a seed, kind after kind."""
    for kind, templates in TEMPLATES.items():
        for number, template in enumerate(templates, start=1):
            yield Drill(kind, number, _drawn(template, random.Random(f"{seed} {kind} {number}")))


def _drawn(template: Template, chance: random.Random) -> Template:
    """Return a template with sizes and numbers in place of its letters."""
    rows, columns = chance.sample(SIZES, 2)
    values = {"N": rows, "M": columns, "P": chance.choice(NUMBERS)}

    def put(text: str) -> str:
        return re.sub(r"\b[NMP]\b", lambda found: str(values[found[0]]), text)

    return Template(put(template.lines), put(template.given), template.asked, template.step, put(template.wrong))
