"""What is said about mistakes: one table, keyed by code.

A hypothesis yields a ``Finding``; ``diagnosis_of`` makes the sentences for the student from it. A template may name the
values of the finding, and always ``name`` (the checkpoint) and ``step`` (the first step to look at). The format
specifications are the keys of ``WORDS``: ``{uses:and}`` is "a, b and c".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from grader.compare import Diagnosis
from grader.diagnosis.codes import Code, Finding

LINE = "Look at the line {line}."
LINES = "Look at the lines of {steps:and}."
ALL_LINES = "Look at all lines from {name} on; the factor belongs to every path through them."


@dataclass(frozen=True)
class Message:
    """The templates of one form of a mistake.

    ``kind`` says what the mistake is, ``advice`` what to look at. Between them stands ``LINE``, ``LINES`` or
    ``ALL_LINES``, after the finding's steps. Without ``advice`` the kind stands alone.

    Neither says that the rest is right. ``rest`` does, and is said where the repair test found no other mistake. Where
    there is one, the finding names it, and ``BESIDES`` has the sentence.
    """

    kind: str
    advice: str | None
    rest: str | None = None


@dataclass(frozen=True)
class Kind:
    """What is said about a code: ``phrase`` of the students of a class, a message for each form to one student."""

    phrase: str
    forms: Mapping[str, Message]


_ADD_EACH_USE = "Each use of a tensor adds a term of its own to the gradient: +=, not =."
_NOTHING = "Your gradient is zero everywhere; {name} is used in {uses:and}, and nothing of that arrives."
_REST = "the rest is right"
_REACH = "Which elements does your line reach? Look at the ends of its ranges and at its indices."
_ONE_SLICE = "Of the {length} slices of d{step} along axis {axis}, only slice {kept} is in your gradient."
_ENDS = "Each element of the upstream gradient goes somewhere. Look at the ends of your ranges."
_FACTOR = "Every number is off by the same factor: your gradient is {factor} times what it should be"
_FIND_FACTOR = (
    "Look for a constant factor that was left out, put in twice, or turned upside down; a mean divides by how many it "
    "averages."
)
_SIGN = "The sign is turned around everywhere; but for that "
_COUNT_SIGNS = (
    "Count the minus signs on the way down: one for each minus in the line, one for each power of -1, and the one in "
    "the loss."
)
_REPEATED = "Indexing on the left of = or += handles a repeated index once; index_add_ or a loop adds up."
_ALIAS = " If they are two names for one tensor, what is added to one is added to the other."
_COPY = "An assignment makes no copy; += changes the tensor itself. Use clone(), or a new tensor for the sum."
_SHAPES = (
    "Write the shapes under the product: each gradient has its tensor's shape, and only one way of turning the factors "
    "gives it."
)
_SHUFFLED = "All the right numbers are there, but not where they belong: the shape is {right}."
_OWN_ELEMENT = "summed or averaged along axis {axis}; each of its elements belongs to an element of its own."
_SUM_LATER = "Sum only where the forward pass stretched or repeated something, and after multiplying."
_MOVE = "Move one element of {read} a little: by how much does {step} move? That is the factor to multiply with."
_NOT_THE_DERIVATIVE = "and that is not the derivative of the line of {step}."
_OTHER_OPERAND = "{other} stands in the derivative of the line of {step} in place of {operand}."
_NOT_RECOGNISED = "The mistake is in this step, but its kind was not recognised: {figures:figures}."

MESSAGES: Mapping[Code, Kind] = {
    Code.MISSING_TERM: Kind(
        "left out a path at",
        {
            "path": Message("The path through {step} is missing from your gradient.", _ADD_EACH_USE),
            "route": Message("The part that comes to {read} through {route:and} is missing.", _ADD_EACH_USE, _REST),
            "path_of_several": Message(
                "{read} is used {count:times}, in {uses:and}; your gradient holds only the path through {others:and}.",
                _ADD_EACH_USE,
            ),
            "next_to_nothing": Message(
                "Only what comes through {through:and} is in your gradient, and that is next to nothing.",
                _ADD_EACH_USE,
            ),
            "nothing": Message(
                _NOTHING, "Start from d{step}, and ask how much that line's result changes when {name} does."
            ),
            "nothing_of_the_loss": Message(_NOTHING, "Ask how much the loss changes when an element of {name} does."),
            "elements": Message(
                "{missing} elements of your gradient are zero and should not be.", _REACH, "the others are right"
            ),
            "elements_of_a_term": Message(
                "{missing} elements of the term that comes through {step} are zero and should not be.",
                _REACH,
                _REST,
            ),
            "part_of_the_upstream": Message(
                "Of d{whole} only the path through {through} went into your gradient.",
                "{whole} is used in {uses:and}. Go on only when all of its gradient is there.",
            ),
            "one_slice": Message(_ONE_SLICE, _ENDS),
            "slices": Message(
                "What comes from {missing:slices} of d{step}, along axis {axis}, is not in your gradient.", _ENDS
            ),
        },
    ),
    Code.DOUBLE_COUNTED: Kind(
        "counted a path twice at",
        {
            "path": Message(
                "The path from {read} through {step} is counted twice.",
                "Each use of a tensor adds its term once; look for a += that runs twice or for a factor of 2.",
            ),
            "route": Message(
                "The part that comes to {read} through {route:and} is counted twice.",
                "Each use of a tensor adds its term once; look for a += that runs twice or for a factor of 2.",
                _REST,
            ),
            "whole": Message(
                "Your gradient is twice what it should be: what arrives at {name} is counted twice.",
                "Look for a += that runs twice, or for one that adds to what already holds it.",
            ),
        },
    ),
    Code.TERM_SIGN: Kind(
        "gave one term the wrong sign at",
        {
            "path": Message(
                "The term that comes to {read} through {step} has the wrong sign.",
                "Does {step} grow or shrink when {read} grows?",
                _REST,
            ),
            "route": Message(
                "The part that comes to {read} through {route:and} has the wrong sign.",
                "Follow this path alone, and count its minus signs.",
                _REST,
            ),
        },
    ),
    Code.TERM_SCALE: Kind(
        "had one term off by a factor at",
        {
            "path": Message(
                "The term that comes to {read} through {step} is off by a factor of {factor}.",
                "Derive that line alone once more, its constant factors included.",
                _REST,
            ),
            "route": Message(
                "The part that comes to {read} through {route:and} is off by a factor of {factor}.",
                "Follow this path alone, line by line, with its constant factors.",
                _REST,
            ),
        },
    ),
    Code.SIGN: Kind(
        "had the wrong sign at",
        {
            "numbers": Message(_SIGN + "every number is right.", _COUNT_SIGNS),
            "form": Message(_SIGN + "the gradient has the right form.", _COUNT_SIGNS),
        },
    ),
    Code.SCALE: Kind(
        "were off by a factor at",
        {
            "whole": Message(_FACTOR + ".", _FIND_FACTOR),
            "whole_and_sign": Message(_FACTOR + ", apart from the sign.", _FIND_FACTOR),
            "common": Message("Everything is off by a factor of {factor}.", _FIND_FACTOR),
            "averaged": Message("The contributions to one element are averaged, not summed.", _REPEATED),
        },
    ),
    Code.TRANSPOSED: Kind(
        "had it turned over at",
        {
            "axes": Message("Your gradient is right but for its axes: shape {shape} turned over.", _SHAPES),
            "upstream": Message("d{step} goes into your gradient turned over.", _SHAPES),
            "operand": Message("{other} goes into your gradient turned the wrong way.", _SHAPES),
            "shuffled": Message(_SHUFFLED, _SHAPES),
        },
    ),
    Code.NOT_REDUCED: Kind(
        "left out the sum over a broadcast axis at",
        {
            "stretched": Message(
                "{read} is stretched over every row or column of {step}; your gradient is not summed up again: it has "
                "shape {wide}, and {read} has shape {narrow}.",
                "One number that is used many times collects a gradient from each use.",
            ),
            "inner_stretched": Message(
                "{read} is stretched over every row or column of {step}; what comes to {read} is not summed up again.",
                "{read} has shape {narrow}, and so has its gradient: one number collects from each use.",
            ),
            "stretched_and_cancelled": Message(
                "{read} is stretched over every row or column of {step}; your gradient is not summed up again: it has "
                "shape {wide}, and {read} has shape {narrow}.",
                "One number that is used many times collects a gradient from each use.",
            ),
            "axis": Message(
                "Your gradient has shape {shape}, and {name} has shape {right}: axis {axis} is still to be summed.",
                "What is used many times collects a gradient from each use; a product of matrices sums as well.",
            ),
            "one_slice": Message(_ONE_SLICE, "What is used many times collects from each use: a sum."),
        },
    ),
    Code.WRONG_AXIS: Kind(
        "summed along another axis at",
        {
            "sum": Message(
                "Your gradient of {read} is summed along the wrong axis.",
                "Along which axis was {read}, of shape {narrow}, stretched to {wide}? The sum goes along that one.",
            ),
            "part": Message(
                "In the part of d{name} that comes through {step}, a sum goes along axis {axis}, the wrong one.",
                "Which elements belong together here, those of a row or those of a column?",
            ),
            "cancels": Message(
                "Your gradient is zero everywhere but for rounding: along axis {axis} of d{of}, everything cancels.",
                "Which axis did you sum along, and was anything stretched along it?",
            ),
            "mean": Message(
                "Your gradient of {read} is averaged along the wrong axis.",
                "Along which axis was {read}, of shape {narrow}, stretched to {wide}? The sum goes along that one.",
            ),
            "part_over_all": Message(
                "In the part of d{name} that comes through {step}, one number stands where a sum along axis {axis} "
                "belongs: the sum of everything.",
                "Which elements belong together here, those of a row or those of a column?",
            ),
            "normalised": Message(
                "The part of d{name} that comes through {step} is normalised along axis {axis}, the wrong one.",
                "Along which axis does the forward pass divide by a sum?",
            ),
            "normalised_over_all": Message(
                "The part of d{name} that comes through {step} is normalised over everything, and should be along axis "
                "{axis}.",
                "Along which axis does the forward pass divide by a sum?",
            ),
            "inner_sum": Message(
                "What comes to {read} is summed along the wrong axis.",
                "Along which axis was {read}, of shape {narrow}, stretched to {wide}? The sum goes along that one.",
            ),
            "inner_mean": Message(
                "What comes to {read} is averaged along the wrong axis.",
                "Along which axis was {read}, of shape {narrow}, stretched to {wide}? The sum goes along that one.",
            ),
            "inner_sum_of_all": Message(
                "What comes to {read} is one number, the sum of everything.",
                "Along which axis was {read}, of shape {narrow}, stretched to {wide}? The sum goes along that one.",
            ),
            "sum_and_cancelled": Message(
                "Your gradient of {read} is summed along the wrong axis.",
                "Along which axis was {read}, of shape {narrow}, stretched to {wide}? The sum goes along that one.",
            ),
            "sum_of_all": Message(
                "Your gradient of {read} is one number, the sum of everything.",
                "Along which axis was {read}, of shape {narrow}, stretched to {wide}? The sum goes along that one.",
            ),
            "needless_sum_of_a_term": Message(
                "The term that comes to {read} through {step} is " + _OWN_ELEMENT, _SUM_LATER
            ),
            "needless_sum_of_the_upstream": Message("d{step} is, before it is used, " + _OWN_ELEMENT, _SUM_LATER),
            "other_axis": Message(
                "The numbers are right, but they lie along another axis: shape {shape} where shape {right} is wanted.",
                "A sum drops the axis that it sums; keepdim=True keeps it, so that rows stay rows.",
            ),
            "diagonal": Message(
                "The right numbers are the diagonal of your gradient, which has shape {shape}.",
                "A product of matrices takes every row with every column. Which pairs belong together here?",
            ),
            "shuffled": Message(
                _SHUFFLED, "A view only goes back to the shape that it came from; its axes do not change their order."
            ),
        },
    ),
    Code.MISSING_UPSTREAM: Kind(
        "left out the upstream gradient at",
        {
            "constant": Message(
                "Your gradient is {value} everywhere; d{step} does not come into it.",
                "The chain rule multiplies: what {step} does to the loss, times what {name} does to {step}.",
            ),
            "derivative_times_a_number": Message(
                "Your gradient is the derivative of the line of {step}, times the number {factor}.",
                "The chain rule multiplies: what {step} does to the loss, times what {read} does to {step}.",
            ),
            "part_of_the_derivative": Message(
                "d{step} multiplies only a part of the derivative: {factor} stands alone.",
                "Is a parenthesis missing? The upstream gradient multiplies the whole derivative.",
            ),
            "derivative_alone": Message(
                "Your gradient holds the derivative of the line of {step} alone; d{step} does not come into it.",
                "The chain rule multiplies: what {step} does to the loss, times what {read} does to {step}.",
            ),
            "forward_value": Message(
                "{other}, a tensor of the forward pass, stands where d{step} belongs.",
                "The chain rule multiplies with what the loss does when {step} changes: a gradient.",
            ),
        },
    ),
    Code.MISSING_LOCAL: Kind(
        "left out the local derivative, or had another one, at",
        {
            "unchanged": Message(
                "d{step} goes through to {read} unchanged; the derivative of the line of {step} is missing.", _MOVE
            ),
            "line_of_the_upstream": Message(
                "The line of {step} is applied to d{step}; its derivative does not come into it.", _MOVE
            ),
            "upstream_times_a_number": Message(
                "d{step} goes through to {read} times {factor}; the derivative of the line of {step} is no number.",
                _MOVE,
            ),
            "tensor_added": Message("Your gradient is right, but {other} is added to it.", _MOVE),
            "multiple_added": Message("Your gradient is right, but {other} times {factor} is added to it.", _MOVE),
            "number_added": Message("Your gradient is right, but the number {factor} is added to it.", _MOVE),
            "other_operand": Message(_OTHER_OPERAND, _MOVE),
            "operand_left_out": Message("{operand} is left out of the derivative of the line of {step}.", _MOVE),
            "times_a_tensor": Message(
                "d{step} is multiplied with {other} before the sum, " + _NOT_THE_DERIVATIVE, _MOVE
            ),
            "times_a_power": Message(
                "d{step} is multiplied with {other}**{power:g} before the sum, " + _NOT_THE_DERIVATIVE, _MOVE
            ),
            "off_by_a_power": Message(
                "Your gradient is {factor} times what it should be.",
                _MOVE,
            ),
            "term_off_by_a_power": Message(
                "The part of d{name} that comes through {step} is {factor} times what it should be.", _MOVE, _REST
            ),
            "whole_off_by_a_power": Message(
                "Your gradient is {factor} times what it should be; it is right but for that factor.",
                "Where does a power of {other} come in, and which one?",
            ),
            "other_function": Message(
                "You multiply d{step} with something that depends on {other}, but it is not the derivative of the line "
                "of {step}.",
                _MOVE,
            ),
            "other_function_of_a_term": Message(
                "The part of d{name} that comes through {step} is off by a factor that depends on {other}.", _MOVE
            ),
            "factor_along_an_axis": Message(
                "Your gradient is off by a factor that is the same all along each {axis_from_end:along}, but not the "
                "same for all of them.",
                "A factor of that shape is missing or wrong. Which tensor has that shape?",
            ),
            "factor_along_an_axis_of_a_term": Message(
                "The part of d{name} that comes through {step} is off by a factor that is the same all along each "
                "{axis_from_end:along}.",
                "A factor of that shape is missing or wrong in this term. Which tensor has that shape?",
                _REST,
            ),
            "product_of_paths": Message(
                "The paths through {uses:and} are multiplied with each other.",
                "Two paths to the loss change it by the sum of what each does.",
            ),
            "should_be_zero": Message(
                "{step} does not depend on {wrong} of the elements of {read}: what comes through it is zero there, and "
                "yours is not.",
                _MOVE,
                _REST,
            ),
            "zero_above": Message(
                "The part of d{name} that comes through {step} is zero at {wrong} elements, and yours is not.",
                "Which elements of d{step} are not zero? Only those pass anything on.",
                _REST,
            ),
            "wrong_positions": Message(
                "The right numbers are there, but {wrong} of them stand where your gradient should be zero.",
                "Look at the indices: which element does each number belong to?",
            ),
            "wrong_positions_of_a_term": Message(
                "The numbers of d{name} that come through {step} are right, but {wrong} of them stand at wrong places.",
                "Look at the indices: which element does each number belong to?",
                _REST,
            ),
        },
    ),
    Code.OVERWRITTEN: Kind(
        "assigned where repeated indices add up at",
        {
            "repeated_index_in_a_loop": Message(
                "Some elements of {read} are used several times; in each turn of a loop, your gradient keeps only the "
                "last of those contributions.",
                _REPEATED,
            ),
            "repeated_index": Message(
                "Some elements of {read} are used several times; where that is, your gradient keeps one contribution, "
                "and others are written over.",
                _REPEATED,
            ),
            "one_slice": Message(_ONE_SLICE, "In a loop, = keeps what came last, and += adds up."),
        },
    ),
    Code.SWAPPED: Kind(
        "took another step's gradient at",
        {
            "gradient": Message(
                "This is the gradient of {other}, not of {name}.",
                "Which of the two does your line assign, d{name} or d{other}?",
            ),
            "upstream": Message(
                "The form of your gradient is right, but d{other} went into it where d{step} belongs.",
                "{read} acts on the loss through {step}: its gradient starts from there.",
            ),
            "operand": Message(
                _OTHER_OPERAND,
                "A derivative of a line is made of the line's own tensors; a gradient comes in once, as the upstream.",
            ),
        },
    ),
    Code.ALIASED: Kind(
        "had two names for one tensor at",
        {
            "same_numbers_below": Message("d{name} and d{other} hold the very same numbers." + _ALIAS, _COPY),
            "same_numbers": Message("d{name} and d{other} hold the very same numbers." + _ALIAS, _COPY),
            "changed_upstream": Message(
                "d{name} is made of the numbers of d{other}, in place of those of d{step}." + _ALIAS, _COPY
            ),
        },
    ),
    Code.UNKNOWN: Kind(
        "made a mistake of another kind at",
        {
            "one_use": Message(
                _NOT_RECOGNISED, "Derive this line alone, on paper, for one element; then put the shapes back."
            ),
            "several_uses": Message(
                _NOT_RECOGNISED,
                "{name} is used in {uses:and}. Derive each use alone, on paper, with shapes; then add.",
            ),
            "not_finite": Message(
                "{bad} of {count} elements are NaN or infinite, and the gradients above are not{where:where}.",
                "Look for a division by zero, a logarithm of zero, or a power of a negative number.",
            ),
            "not_finite_here": Message(
                "{bad} of {count} elements are NaN or infinite{where:where}.",
                "Look for a division by zero, a logarithm of zero, or a power of a negative number.",
            ),
            "above_not_finite": Message(
                "Nothing can be told about this step: with your gradients above, no finite gradient is right here.",
                "Mend the gradients above first.",
            ),
            "next_to_nothing": Message(
                "Your gradient is next to nothing: its largest element is {largest:.1g} of what it should be.",
                "Look for a sum that is taken before it should be, or of the wrong product: there, everything cancels.",
            ),
            "later": Message(
                "The mistake is in this step. Mend the first ones, and submit again to hear more about this one.", None
            ),
        },
    ),
}

TWO_THINGS = "At least two things are off."
# What else is wrong in an answer whose mistake was named. ``TWO_THINGS`` stands before both.
BESIDES: Mapping[str, str] = {
    "factor": "Besides, everything is off by a factor of {factor}.",
    "its_factor": "Besides, it is off by a factor of {factor}.",
    "its_sign": "Besides, its sign is turned around.",
    "term_missing": "Besides, the path from {read} through {step} is missing.",
    "term_sign": "Besides, the term that comes to {read} through {step} has the wrong sign.",
    "term_factor": "Besides, the term that comes to {read} through {step} is off by a factor of {factor}.",
    "term_sign_and_factor": (
        "Besides, the term that comes to {read} through {step} has the wrong sign and is off by a factor of {factor}."
    ),
    "term_along_an_axis": (
        "Besides, the part that comes to {read} through {step} is off, by a factor that is the same all along each "
        "{axis_from_end:along}."
    ),
    "route_along_an_axis": (
        "Besides, the part that comes to {read} through {route:and} is off, by a factor that is the same all along "
        "each {axis_from_end:along}."
    ),
    "route_missing": "Besides, the part that comes to {read} through {route:and} is missing.",
    "route_sign": "Besides, the part that comes to {read} through {route:and} has the wrong sign.",
    "route_factor": "Besides, the part that comes to {read} through {route:and} is off by a factor of {factor}.",
    "route_sign_and_factor": (
        "Besides, the part that comes to {read} through {route:and} has the wrong sign and is off by a factor of "
        "{factor}."
    ),
}

# What the numbers of an answer show that no hypothesis explains.
FIGURES: Mapping[str, str] = {
    "shape": "its shape is {shape}, and {right} is wanted",
    "rounding": "the numbers are right up to the rounding of another order of operations",
    "nearly_right": (
        "it is nearly right, off by at most {share:.1g} of its largest element; look for lost digits or for a small "
        "constant"
    ),
    "elements": "{right} of {count} elements are right{where:where}{ratio:ratio}",
}
LISTED_SLICES_MAX = 8  # more slices are given as a range


def diagnosis_of(finding: Finding, name: str, lines: Mapping[str, str]) -> Diagnosis:
    """Return the diagnosis of the checkpoint ``name`` with the sentences for a finding.

    ``lines`` maps each step to its line of the forward pass.

    :raises KeyError: the table has no such message, or its template names a value that the finding lacks
    """
    message = MESSAGES[finding.code].forms[finding.form]
    values = {"name": name, "step": finding.at[0] if finding.at else name, **finding.values}
    hints = [_kind(message, finding, values)]
    if message.advice is not None:
        hints += [_look(finding.at, name, lines), _format(message.advice, values)]
    return Diagnosis(finding.code.value, tuple(hints))


def mistake_phrase(code: str) -> str:
    """Return what students did who made a mistake of this kind; the name of the checkpoint follows it."""
    kind = MESSAGES.get(Code(code)) if code in set(Code) else None
    return f"made the mistake {code} at" if kind is None else kind.phrase


def _kind(message: Message, finding: Finding, values: Mapping[str, object]) -> str:
    kind = _format(message.kind, values)
    if finding.besides:
        besides = [_format(BESIDES[form], {"name": values["name"], **beside}) for form, beside in finding.besides]
        return " ".join([TWO_THINGS, kind, *besides])
    return kind if message.rest is None else f"{kind.removesuffix('.')}; {message.rest}."


def _look(steps: Sequence[str], name: str, lines: Mapping[str, str]) -> str:
    if not steps:
        return _format(ALL_LINES, {"name": name})
    if len(steps) == 1:
        return _format(LINE, {"line": lines.get(steps[0], steps[0])})
    return _format(LINES, {"steps": steps})


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _times(count: int) -> str:
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")


def _slices(indices: Sequence[int]) -> str:
    names = [str(index) for index in indices]
    which = _listed(names) if len(names) <= LISTED_SLICES_MAX else f"{names[0]} to {names[-1]}"
    return f"{'slices' if len(names) > 1 else 'slice'} {which}"


def _along(axis_from_end: int) -> str:
    return {1: "row", 2: "column"}.get(axis_from_end, "slice")


def _where(wrong: tuple[int, Sequence[int]] | None) -> str:
    """Return where the wrong elements are: an axis and indices along it, or None."""
    if wrong is None:
        return ""
    axis, indices = wrong
    shown = ", ".join(map(str, indices[:6])) + (", …" if len(indices) > 6 else "")
    return f"; the wrong ones sit at {shown} of axis {axis}"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"; where they are wrong, they are typically {ratio:.3g} times what they should be"


def _figures(figures: tuple[str, Mapping[str, object]]) -> str:
    form, values = figures
    return _format(FIGURES[form], values)


WORDS: Mapping[str, Callable[[Any], str]] = {
    "and": _listed,
    "times": _times,
    "slices": _slices,
    "along": _along,
    "where": _where,
    "ratio": _ratio,
    "figures": _figures,
}


class _Words(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        word = WORDS.get(format_spec)
        return str(super().format_field(value, format_spec)) if word is None else word(value)


def _format(template: str, values: Mapping[str, object]) -> str:
    return _Words().vformat(template, (), values)
