"""One grade in short, for 24 lines of 80 characters: a bar, what changed, and at the end the one thing to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from dojo.api.responses import Checkpoint, Comparison, Grade, Practice, Submission
from dojo.show.grades import (
    AUTOGRAD_SENTENCE,
    FIRST_MISTAKE_STYLE,
    INHERITED_STYLE,
    KERNELS_SENTENCE,
    RUN_SENTENCES,
    STYLES,
    WRONG_STYLE,
    kind,
    lecture_hint,
    needs_kernels_sentence,
    printed_heading,
    row_style,
    show_lateness,
    show_row,
    title,
)
from dojo.show.screen import Screen
from dojo.text import plural

BAR_STEPS_MAX = 60  # in one line
CHANGED_ROWS_MAX = 3  # are shown as rows; more only by name
PRINTED_LINES_MAX = 5
TRACE_LINES_MAX = 8


@dataclass(frozen=True)
class Before:
    """The attempt before: its number, and the names of the steps that passed."""

    attempt: int
    passed: frozenset[str]


@dataclass(frozen=True)
class View:
    """What is known beside a grade.

    ``hint_levels`` is how many levels of the first mistake's hints are shown. ``next_steps`` are sentences that say
    what to go on with once all steps pass; there is none if every exercise is done or that is not known. ``practice``
    is the drill that the server offers after a mistake was made twice. ``hint_command`` shows one hint more, and
    ``whole_command`` the table of a progress.
    """

    checkpoints: Sequence[Checkpoint] = ()
    before: Before | None = None
    hint_levels: int = 1
    next_steps: Sequence[str] = ()
    practice: Practice | None = None
    hint_command: str = "dojo hint"
    whole_command: str = "dojo status --all"


def show_brief(screen: Screen, submission: Submission, grade: Grade, view: View) -> None:
    """Print a grade in short. What to do next stands at the end, where the eye is."""
    screen.print(title(submission), style="bold")
    _show_bar(screen, grade)
    show_lateness(screen, grade)
    _show_changes(screen, grade, view.before)
    _show_groups(screen, grade, needs_kernels_sentence(submission, grade))
    _show_printed(screen, grade)
    if "autograd" in grade.flags:
        screen.print(AUTOGRAD_SENTENCE, style=INHERITED_STYLE)
    if len(grade.rows) > 1:
        screen.print(f"The whole table: dojo show {submission.id} --all", style="bright_black")
    screen.print()
    _show_next_thing(screen, grade, view)


def show_progress(screen: Screen, heading: str, grade: Grade, view: View) -> None:
    """Print the progress in an exercise in short: ``grade`` has the best row of each step."""
    screen.print(heading, style="bold")
    _show_bar(screen, grade)
    _show_groups(screen, grade, needs_kernels=False)
    screen.print(f"Step by step: {view.whole_command}", style="bright_black")
    screen.print()
    _show_next_thing(screen, grade, view)


def _show_bar(screen: Screen, grade: Grade) -> None:
    """Print a character for each step, and how many pass."""
    bar = Text()
    for number, row in enumerate(grade.rows, 1):
        bar.append(screen.mark(kind(row)), style=row_style(row))
        if number % BAR_STEPS_MAX == 0:
            bar.append("\n")
    style = "bold green" if grade.all_passed else "bold"
    screen.print_text(Text.assemble("[", bar, "]  ", (grade.counts(), style)))


def _show_changes(screen: Screen, grade: Grade, before: Before | None) -> None:
    """Print which steps pass now and did not in the attempt before, and the other way round."""
    earlier = before.passed if before else frozenset()
    gained = [row for row in grade.rows if row.passed and row.name not in earlier]
    lost = [row.name for row in grade.rows if not row.passed and row.name in earlier]
    since = f"Since attempt {before.attempt}: " if before else ""
    if lost:
        verb = "passes" if len(lost) == 1 else "pass"
        screen.print(f"{since}{_names(screen, lost)} passed before, and no longer {verb}.", style=WRONG_STYLE)
    if gained and len(gained) <= CHANGED_ROWS_MAX:
        screen.print(f"{since}{plural(len(gained), 'more step')} right.", style="green")
        for row in gained:
            show_row(screen, row, row_style(row))
    elif gained and len(gained) < len(grade.rows):
        text = f"{since}{len(gained)} more steps right: "
        screen.print(text + _names(screen, [row.name for row in gained], used=len(text)), style="green")
    elif before and not gained and not lost:
        screen.print(f"{since}no other steps pass than before.")


def _show_groups(screen: Screen, grade: Grade, needs_kernels: bool) -> None:
    """Print a line for each kind of step that is not exact; the first mistake has its own place at the end."""
    first = grade.first_wrong
    names_by_kind: dict[str, list[str]] = {}
    for row in grade.rows:
        if row is not first:
            names_by_kind.setdefault(kind(row), []).append(row.name)
    mistakes = sum(row.own_mistake for row in grade.rows)
    for name, sentence in _group_sentences({key: len(names) for key, names in names_by_kind.items()}, mistakes):
        text = f"{screen.mark(name)} {sentence}"
        if name == "approximate" and needs_kernels:
            text += f": {KERNELS_SENTENCE}."
        elif name != "inherited":
            text += f": {_names(screen, names_by_kind[name], used=len(text) + 2)}"
        screen.print(text, style=STYLES[name])
    notes = sum(bool(row.notes) for row in grade.rows if row.passed)
    if notes:
        screen.print(f"There {'is a note' if notes == 1 else 'are notes'} on {plural(notes, 'step')} that passed.")


def _group_sentences(counts: Mapping[str, int], mistakes: int) -> Iterator[tuple[str, str]]:
    """Yield a sentence for each kind of step of which there are some; ``mistakes`` counts all own ones."""

    def some(name: str, one: str, many: str) -> Iterator[tuple[str, str]]:
        count = counts.get(name, 0)
        if count:
            yield name, f"{count} {one if count == 1 else many}"

    yield from some("approximate", "passes as approximate", "pass as approximate")
    yield from some("rounding", "passes, its difference is rounding", "pass, their differences are rounding")
    yield from some("own", "more is wrong here", "more are wrong here")
    yield from some("unknown", "more is wrong, here or above", "more are wrong, here or above")
    if mistakes:
        them = "it" if mistakes == 1 else "them"
        yield from some("inherited", f"more inherits {them}", f"more inherit {them}")
    else:
        yield from some("inherited", "inherits a mistake from above", "inherit a mistake from above")
    yield from some("missing", "is not there yet", "are not there yet")


def show_missing(screen: Screen, names: Sequence[str]) -> None:
    """Print in a line which steps have no answer yet."""
    ((_, sentence),) = _group_sentences({"missing": len(names)}, mistakes=0)
    text = f"{screen.mark('missing')} {sentence}: "
    screen.print(text + _names(screen, names, used=len(text)), style=STYLES["missing"])


def _show_printed(screen: Screen, grade: Grade) -> None:
    lines = grade.stdout.rstrip().splitlines()
    if not lines:
        return
    shown = lines[-PRINTED_LINES_MAX:]
    heading = printed_heading(grade, None if len(shown) == len(lines) else len(lines))
    screen.print(heading, style="bright_black")
    screen.print_text(Text("\n".join(shown)), indent=4)


def _show_next_thing(screen: Screen, grade: Grade, view: View) -> None:
    """Print the one thing to do next: an error, the first mistake, the next step, or that all is done."""
    first = grade.first_wrong
    missing = next((row for row in grade.rows if row.missing), None)
    if grade.run_status in RUN_SENTENCES:
        screen.print(RUN_SENTENCES[grade.run_status], style=WRONG_STYLE)
        trace = grade.run_message.rstrip().splitlines()
        if trace:
            screen.print_text(Text("\n".join(trace[-TRACE_LINES_MAX:])), indent=4)
    elif first is not None:
        show_mistake(screen, first, view)
    elif missing is not None:
        screen.print(f"Next: d{missing.name}")
        for note in missing.notes:
            screen.print_text(Text(note), indent=2)
        _show_lecture(screen, missing, view)
    elif grade.all_passed:
        _show_done(screen, grade, view)


def show_mistake(screen: Screen, row: Comparison, view: View) -> None:
    """Print a wrong step with as many levels of its hints as the view says."""
    show_row(screen, row, FIRST_MISTAKE_STYLE if row.own_mistake else row_style(row))
    for hint in shown_hints(row, view.hint_levels):
        screen.print_text(Text(hint), indent=2)
    for note in row.notes:
        screen.print_text(Text(note), indent=2)
    if row.own_mistake and view.hint_levels < levels_of(row):
        number = f"{view.hint_levels + 1} of {levels_of(row)}"
        screen.print_text(Text(f"One more hint ({number}): {view.hint_command}"), indent=2)
    _show_lecture(screen, row, view)
    if view.practice is not None:
        lines = plural(view.practice.lines, "line")
        screen.print_text(Text(f"Practise this in {lines}: dojo pull {view.practice.exercise}"), indent=2)


def levels_of(row: Comparison) -> int:
    """Return how many levels of hints there are for a row, as far as the course shows them."""
    return max((len(hints) for hints in row.hints), default=0)


def shown_hints(row: Comparison, levels: int) -> list[str]:
    """Return the first levels of the hints for an own mistake, level by level."""
    if not row.own_mistake:
        return []
    return [hints[level] for level in range(levels) for hints in row.hints if level < len(hints)]


def _show_lecture(screen: Screen, row: Comparison, view: View) -> None:
    step = next((each for each in view.checkpoints if each.name == row.name and each.lecture_url), None)
    if step is not None:
        screen.print(lecture_hint(step))


def _show_done(screen: Screen, grade: Grade, view: View) -> None:
    count, inexact = len(grade.rows), len(grade.rows) - grade.exact
    steps = "The step passes" if count == 1 else f"All {count} steps pass"
    exact = "exact" if not inexact else "not to the last bit" if inexact == count else f"{grade.exact} of them exact"
    screen.print(f"{steps}, {exact}: this exercise is done.", style="bold green")
    for line in view.next_steps or ("See how far you are: dojo list",):
        screen.print(line)


def _names(screen: Screen, names: Iterable[str], used: int = 0) -> str:
    """Return names with commas, as many as fit in the line; in a pipe all of them."""
    names = list(names)
    whole = ", ".join(names)
    if screen.width is None or len(whole) + used <= screen.width:
        return whole
    shown = 1
    while shown < len(names) and len(", ".join(names[: shown + 1])) + used + len(", and 99 more") <= screen.width:
        shown += 1
    return f"{', '.join(names[:shown])}, and {len(names) - shown} more" if shown < len(names) else whole
