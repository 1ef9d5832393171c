"""What is said about mistakes: one table, keyed by code.

A hypothesis yields a ``Finding``; ``diagnosis_of`` makes the sentences for the student from it. A template may name the
values of the finding, and always ``name`` (the checkpoint) and ``step`` (the first step to look at). The format
specifications are the keys of ``wording.WORDS``: ``{uses:and}`` is "a, b and c".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from grader.compare import Diagnosis
from grader.diagnosis.codes import Code, Finding, NamedPart
from grader.diagnosis.evidence import BrokenInvariant, Counterexample
from grader.diagnosis.wording import filled

LINE = "Look at the line {line}."
LINES = "Look at the lines of {steps:and}."
ALL_LINES = "Look at all lines from {name} on; the factor belongs to every path through them."


@dataclass(frozen=True)
class Message:
    """The templates of one form of a mistake.

    ``kind`` says what the mistake is, ``advice`` what to look at. Between them stands ``LINE``, ``LINES`` or
    ``ALL_LINES``, after the finding's steps, or ``line`` if it is given. Without ``advice`` the kind stands alone.

    Neither says that the rest is right. ``rest`` does, and is said where the repair test found no other mistake. Where
    there is one, the finding names it, and ``BESIDES`` has the sentence.
    """

    kind: str
    advice: str | None
    rest: str | None = None
    line: str | None = None


@dataclass(frozen=True)
class Kind:
    """What is said about a code: ``phrase`` of the students of a class, a message for each form to one student."""

    phrase: str
    forms: Mapping[str, Message]


_ADD_EACH_USE = "Each use of a tensor adds a term of its own to the gradient: +=, not =."
_NOTHING = "Your gradient is zero everywhere; {name} is used in {uses:and}, and nothing of that arrives."
_EACH_PART = "Each part is a summand of its own: derive it alone, then add all of them."
_PLACE = "{read} stands {count:times} in the line of {step}. What comes through the {place:ordinal} place "
_ONE_PLACE_AT_A_TIME = "Derive one place at a time, as if the others were constants; then add."
_IN_THE_DERIVATIVE = "In the derivative of the line of {step}, "
_DIRECT = "the part without a sum "
_WITH_SUM = "the part with the sum along axis {axis} "
_SUM_OVER_MOVED = "Which elements of {step} does one element of {read} move? The sum goes over those."
_MOVES_ALL = "An element of {read} moves the element of {step} at its own place, and all others along axis {axis}."
_ONE_OF_EACH_PART = "An element of {read} moves {step} in two ways. Each gives one part, and each part counts once."
_EACH_HAS_THE_GRADIENT = "The gradient of {step} is a factor in both parts: the chain rule multiplies with it in each."
_STRETCHED_AT_THE_END = "Broadcasting lines up the last axes. Put an axis of length 1 where the line summed: unsqueeze."
_FIRST_TWO = "Write down which two elements meet at the first index, and which two at the second."
_ABOUT = "{about:sentences}"
_YOUR_LINE = "Look at the line of your code that makes d{name}."
_SUM_COLUMN = "An entry moves every entry of its column. A sum over the column collects what each of them does."
_USED = "{read} is {narrow} and {spread:used}."
_STRETCHED_ALONG = "Along which axis was {read} stretched, from {narrow} to {wide}? The sum goes along that one."
_GONE_ON = "Stop at the tensor that is asked for; the line above it is the next step's."
_PRODUCT = "{of_term:subject} {product}{summed:summed}"
_ONLY_USES = "{name} is used in {uses:and}. Each use adds one term, and nothing else does."
_ONLY_TERMS = "Each use of {name} adds one term to its gradient, and nothing else does. Look for a + that is too many."
_PLUS = "The chain rule multiplies; only the terms of several uses are added."
_REST = "the rest is right"
_REACH = "Which elements does your line reach? Look at the ends of its ranges and at its indices."
_ONE_SLICE = "Of the {length} slices of {upstream} along axis {axis}, only slice {kept} is in your gradient."
_ENDS = "Each element of the upstream gradient goes somewhere. Look at the ends of your ranges."
_FACTOR = "Every number is off by the same factor: your gradient is {factor} times what it should be"
_FIND_FACTOR = (
    "Look for a constant factor that was left out, put in twice, or turned upside down; a mean divides by how many it "
    "averages."
)
_SIGN = "The sign is turned around everywhere; but for that "
_COUNT_SIGNS = (
    "Count the minus signs on the way down: each minus in the line, each power of -1, and the one in the loss."
)
_REPEATED = "Indexing on the left of = or += handles a repeated index once; index_add_ or a loop adds up."
_ALIAS = " If they are two names for one tensor, what is added to one is added to the other."
_COPY = "An assignment makes no copy; += changes the tensor itself. Use clone(), or a new tensor for the sum."
_SHAPES = (
    "Write the shapes under the product: each gradient has its tensor's shape, and only one way of turning the factors "
    "gives it."
)
_SHUFFLED = "All the right numbers are there, but not where they belong: the shape is {right}."
_OWN_ELEMENT = "summed or averaged along axis {axis}. Each of its elements belongs to an element of its own."
_SUM_LATER = "Sum only where the forward pass stretched or repeated something, and after multiplying."
_MOVE = "Move one element of {read} a little: by how much does {step} move? That is the factor to multiply with."
_NOT_THE_DERIVATIVE = "and that is not the derivative of the line of {step}."
_OTHER_OPERAND = "{other} stands in the derivative of the line of {step} in place of {operand}."
_NOT_RECOGNISED = "The mistake is in this step, but its kind was not recognised. {figures:figures}."

MESSAGES: Mapping[Code, Kind] = {
    Code.MISSING_TERM: Kind(
        "left out a path at",
        {
            "derivative_direct": Message(_IN_THE_DERIVATIVE + _DIRECT + "is missing.", _MOVES_ALL),
            "place": Message(_PLACE + "is missing.", _ONE_PLACE_AT_A_TIME),
            "derivative_sum": Message(
                _IN_THE_DERIVATIVE + "the part with the sum along axis {axis} is missing.", _MOVES_ALL
            ),
            "path": Message("The path from {read} through {step} is missing from your gradient.", _ADD_EACH_USE),
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
                _NOTHING, "Start from {upstream}, and ask how much that line's result changes when {name} does."
            ),
            "nothing_of_the_loss": Message(_NOTHING, "Ask how much the loss changes when an element of {name} does."),
            "elements": Message(
                "Your gradient is zero at {missing:elements}, and should not be.",
                _REACH,
                "the others are right",
                _YOUR_LINE,
            ),
            "elements_of_a_term": Message(
                "The term that comes through {step} is zero at {missing:elements}, and should not be.",
                _REACH,
                _REST,
            ),
            "part_of_the_upstream": Message(
                "Of d{whole} only the path through {through} went into your gradient.",
                "{whole} is used in {uses:and}. Go on only when all of its gradient is there.",
            ),
            "one_slice": Message(_ONE_SLICE, _ENDS),
            "slices": Message(
                "What comes from {missing:slices} of {upstream}, along axis {axis}, is not in your gradient.", _ENDS
            ),
            "part": Message("{parts:do_not_show}.", _EACH_PART, line=_ABOUT),
            "all_but_one_part": Message(
                "Of your formula nothing shows but {parts:and}, {factor} times.",
                "Are the other parts there, and does anything cancel? Derive each part alone, then add all of them.",
                line=_ABOUT,
            ),
            "slip": Message("In {parts:and}, {says:clauses}.", _EACH_PART, line=_ABOUT),
            "part_but_for_little": Message(
                "Next to nothing stands in place of {part:part}: at most {left:.1g} of its size.", _ADD_EACH_USE
            ),
            "one_of_each": Message(
                _USED + " Your gradient keeps one of each {length}.",
                "All of them move the loss: a sum, not a choice.",
            ),
        },
    ),
    Code.DOUBLE_COUNTED: Kind(
        "counted a path twice, or one too many, at",
        {
            "derivative_direct": Message(_IN_THE_DERIVATIVE + _DIRECT + "is there twice.", _ONE_OF_EACH_PART),
            "derivative_sum": Message(_IN_THE_DERIVATIVE + _WITH_SUM + "is there twice.", _ONE_OF_EACH_PART),
            "path": Message(
                "The path from {read} through {step} is there twice, or has a factor of 2.",
                "Each use of a tensor adds its term once; look for a += that runs twice or for a factor of 2.",
            ),
            "route": Message(
                "The part that comes to {read} through {route:and} is there twice, or has a factor of 2.",
                "Each use of a tensor adds its term once; look for a += that runs twice or for a factor of 2.",
                _REST,
            ),
            "whole": Message(
                "Your gradient is twice what it should be; perhaps what arrives at {name} is counted twice.",
                "Look for a factor of 2, for a += that runs twice, or for one that adds to what already holds it.",
            ),
            "part": Message("{parts:Are} there twice in your formula, or times 2.", _EACH_PART, line=_ABOUT),
            "elements": Message(
                "{wrong} of {count} elements are twice what they should be.",
                "Which elements does a line reach that adds? Is there a += that adds to what holds it already?",
                "the others are right",
                _YOUR_LINE,
            ),
            "path_too_many": Message(
                "Your gradient is right, but {other} is added to it: a path too many.", _ONLY_USES
            ),
            "path_taken_away": Message(
                "Your gradient is right, but {other} is taken from it: a path too many.", _ONLY_USES
            ),
        },
    ),
    Code.TERM_SIGN: Kind(
        "gave one term the wrong sign at",
        {
            "derivative_direct": Message(_IN_THE_DERIVATIVE + _DIRECT + "has the wrong sign.", _MOVES_ALL),
            "place": Message(_PLACE + "has the wrong sign.", _ONE_PLACE_AT_A_TIME, _REST),
            "derivative_sum": Message(
                _IN_THE_DERIVATIVE + "the part with the sum along axis {axis} has the wrong sign.", _MOVES_ALL
            ),
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
            "part": Message(
                "{turned:sentences}", "Move one element up: does this part make the loss rise or fall?", line=_ABOUT
            ),
            "scaled_part": Message(
                "The sign of {parts:and} is turned around.",
                "Move one element up: does this part make the loss rise or fall?",
                line=_ABOUT,
            ),
        },
    ),
    Code.TERM_SCALE: Kind(
        "had one term off by a factor at",
        {
            "derivative_mean": Message(
                _IN_THE_DERIVATIVE + "a mean along axis {axis} stands where a sum belongs.", _SUM_OVER_MOVED
            ),
            "place": Message(_PLACE + "is off by a factor of {factor}.", _ONE_PLACE_AT_A_TIME, _REST),
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
            "part": Message(
                "{parts:Are} off by a factor in your formula: {factor} times what should stand there.",
                "Derive this part alone once more, its constant factors included.",
                line=_ABOUT,
            ),
        },
    ),
    Code.SIGN: Kind(
        "had the wrong sign at",
        {
            "numbers": Message(_SIGN + "every number is right.", _COUNT_SIGNS),
            "form": Message(_SIGN + "the gradient has the right form.", _COUNT_SIGNS),
            "elements": Message(
                "The sign of {wrong} of {count} elements is turned around.",
                "What do these elements share? Look for an absolute value, or for a minus at some elements only.",
                "the others are right",
                _YOUR_LINE,
            ),
            "formula_of_one_line": Message("Every sign is turned around.", _COUNT_SIGNS),
            "formula": Message(
                "Every sign of your formula is turned around.", _COUNT_SIGNS, line="Look at all of its parts."
            ),
        },
    ),
    Code.SCALE: Kind(
        "were off by a factor at",
        {
            "whole": Message(_FACTOR + ".", _FIND_FACTOR),
            "whole_and_sign": Message(_FACTOR + ", apart from the sign.", _FIND_FACTOR),
            "common": Message("Everything is off by a factor of {factor}.", _FIND_FACTOR),
            "elements": Message(
                "{wrong} of {count} elements are {factor} times what they should be.",
                "What do these elements share? Is there a factor at some elements that belongs at all, or at none?",
                "the others are right",
                _YOUR_LINE,
            ),
            "averaged": Message("The contributions to one element are averaged, not summed.", _REPEATED),
        },
    ),
    Code.TRANSPOSED: Kind(
        "had it turned over at",
        {
            "flipped": Message("Your gradient is right, but back to front along axis {axis}.", _FIRST_TWO),
            "flipped_upstream": Message(
                "{upstream:start} goes into your gradient back to front along axis {axis}.", _FIRST_TWO
            ),
            "flipped_operand": Message("{other} goes into your gradient back to front along axis {axis}.", _FIRST_TWO),
            "axes": Message("Your gradient is right but for its axes: shape {shape} turned over.", _SHAPES),
            "upstream": Message("{upstream:start} goes into your gradient turned over.", _SHAPES),
            "operand": Message("{other} goes into your gradient turned the wrong way.", _SHAPES),
            "shuffled": Message(_SHUFFLED, _SHAPES),
            "axes_and_factor": Message(
                "Your gradient is turned over, with shape {shape}, and it is {factor} times what it should be.", _SHAPES
            ),
            "operand_reshaped": Message(
                "{other} goes into your gradient reshaped where it must be transposed.",
                "view and reshape keep the order of the numbers; .T turns rows into columns.",
            ),
            "upstream_reshaped": Message(
                "{upstream:start} goes into your gradient reshaped where it must be transposed.",
                "view and reshape keep the order of the numbers; .T turns rows into columns.",
            ),
        },
    ),
    Code.NOT_REDUCED: Kind(
        "left out the sum over a broadcast axis at",
        {
            "derivative_sum": Message(_IN_THE_DERIVATIVE + "the sum along axis {axis} is left out.", _SUM_OVER_MOVED),
            "stretched": Message(
                _USED + " Your gradient holds them one by one, with shape {wide}: they add up.",
                "One number that is used many times collects a gradient from each use.",
            ),
            "inner_stretched": Message(
                _USED + " What comes to {read} is not summed up again.",
                "{read} has shape {narrow}, and so has its gradient: one number collects from each use.",
            ),
            "stretched_and_cancelled": Message(
                _USED + " Your gradient holds them one by one, with shape {wide}: they add up.",
                "One number that is used many times collects a gradient from each use.",
            ),
            "axis": Message(
                "Your gradient has shape {shape}, and {name} has shape {right}: axis {axis} is still to be summed.",
                "What is used many times collects a gradient from each use; a product of matrices sums as well.",
            ),
            "one_slice": Message(_ONE_SLICE, "What is used many times collects from each use: a sum."),
            "stretched_and_factor": Message(
                _USED + " Your gradient holds them one by one, with shape {wide}, and times {factor}.",
                "They add up: a sum takes the place of that factor.",
            ),
            "part": Message("{parts:Are} without a sum in your formula: {says:clauses}.", _SUM_COLUMN, line=_ABOUT),
            "diagonal": Message(
                "{parts:Are} without a sum in your formula: it holds the diagonal only.", _SUM_COLUMN, line=_ABOUT
            ),
            "count_for_sum": Message(
                _USED + " Your gradient is the one of slice {kept}, times {length}.",
                "The contributions differ: a sum takes each of them, a count only one.",
            ),
        },
    ),
    Code.WRONG_AXIS: Kind(
        "summed along another axis at",
        {
            "derivative_sum": Message(
                _IN_THE_DERIVATIVE + "a sum goes along axis {other_axis}; it belongs along axis {axis}.",
                _SUM_OVER_MOVED,
            ),
            "derivative_sum_of_all": Message(
                _IN_THE_DERIVATIVE + "a sum goes over everything; it belongs along axis {axis}.", _SUM_OVER_MOVED
            ),
            "stretched_upstream": Message(
                "{upstream:start} is stretched to {shape} along another axis than the one that was summed.",
                _STRETCHED_AT_THE_END,
            ),
            "stretched_operand": Message(
                "{other} is stretched to {shape} along another axis than in the forward pass.", _STRETCHED_AT_THE_END
            ),
            "sum": Message(
                _USED + " Your gradient is summed along another axis than that.",
                _STRETCHED_ALONG,
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
                _USED + " Your gradient is averaged along another axis than that.",
                _STRETCHED_ALONG,
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
                _USED + " What comes to {read} is summed along another axis.",
                _STRETCHED_ALONG,
            ),
            "inner_mean": Message(
                _USED + " What comes to {read} is averaged along another axis.",
                _STRETCHED_ALONG,
            ),
            "inner_sum_of_all": Message(
                _USED + " What comes to {read} is one number, the sum of everything.",
                _STRETCHED_ALONG,
            ),
            "sum_and_cancelled": Message(
                _USED + " Your gradient is summed along another axis than that.",
                _STRETCHED_ALONG,
            ),
            "sum_of_all": Message(
                _USED + " Your gradient is one number, the sum of everything.",
                _STRETCHED_ALONG,
            ),
            "needless_sum_of_a_term": Message(
                "The term that comes to {read} through {step} is " + _OWN_ELEMENT, _SUM_LATER
            ),
            "needless_sum_of_the_upstream": Message(
                "{upstream:start} is, before it is used, " + _OWN_ELEMENT, _SUM_LATER
            ),
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
            "sum_and_factor": Message(
                _USED + " Your gradient is summed along another axis, and is {factor} times that sum.",
                _STRETCHED_ALONG,
            ),
            "sum_before_product": Message(
                "{upstream:start} and its factor are multiplied after a sum. Each contribution is a product.",
                "Multiply first, entry by entry; then sum.",
            ),
            "slip": Message("In {parts:and}, {says:clauses}.", _EACH_PART, line=_ABOUT),
        },
    ),
    Code.MISSING_UPSTREAM: Kind(
        "left out the upstream gradient at",
        {
            "derivative_direct": Message(
                _IN_THE_DERIVATIVE + _DIRECT + "has a value in place of a gradient.",
                _EACH_HAS_THE_GRADIENT,
            ),
            "derivative_sum": Message(
                _IN_THE_DERIVATIVE + _WITH_SUM + "has a value in place of a gradient.",
                _EACH_HAS_THE_GRADIENT,
            ),
            "derivative_sum_alone": Message(
                _IN_THE_DERIVATIVE + "no gradient shows in " + _WITH_SUM.strip() + ".", _EACH_HAS_THE_GRADIENT
            ),
            "constant": Message(
                "Your gradient is {value} everywhere; {upstream} does not show in it.",
                "The chain rule multiplies: what {step} does to the loss, times what {name} does to {step}.",
            ),
            "derivative_times_a_number": Message(
                "Your gradient is the derivative of the line of {step}, times the number {factor}.",
                "The chain rule multiplies: what {step} does to the loss, times what {read} does to {step}.",
            ),
            "derivative_of_a_term_times_a_number": Message(
                "{part:Part} is the derivative of the line of {step}, times {factor}.",
                "The chain rule multiplies: what {step} does to the loss, times what {read} does to {step}.",
            ),
            "part_of_the_derivative": Message(
                "{upstream:start} multiplies only a part of the derivative: {factor} stands alone.",
                "Is a parenthesis missing? The upstream gradient multiplies the whole derivative.",
            ),
            "derivative_alone": Message(
                "Your gradient holds the derivative of the line of {step} alone; {upstream} does not show in it.",
                "The chain rule multiplies: what {step} does to the loss, times what {read} does to {step}.",
            ),
            "place": Message(_PLACE + "is the derivative alone, without {upstream}.", _ONE_PLACE_AT_A_TIME),
            "derivative_alone_of_a_term": Message(
                "{part:Part} is the derivative of the line of {step} alone, without {upstream}.",
                "The chain rule multiplies: what {step} does to the loss, times what {read} does to {step}.",
            ),
            "forward_value": Message(
                "{other}, a tensor of the forward pass, stands where {upstream} belongs.",
                "The chain rule multiplies with what the loss does when {step} changes: a gradient.",
            ),
            "value_itself": Message(
                "Your gradient is {other} itself, a tensor of the forward pass.",
                "A value says how large a tensor is, its gradient how the loss changes with it.",
            ),
            "product_of_values": Message(
                _PRODUCT + ": made of tensors of the forward pass alone, without {upstream}.",
                "The chain rule multiplies with what the loss does when {step} changes: a gradient.",
            ),
        },
    ),
    Code.MISSING_LOCAL: Kind(
        "left out the local derivative, or had another one, at",
        {
            "place": Message(_PLACE + "is divided by the derivative there; multiply with it.", _ONE_PLACE_AT_A_TIME),
            "derivative_factor": Message(
                _IN_THE_DERIVATIVE + "the factor in front of the parenthesis is missing.", _MOVES_ALL
            ),
            "derivative_sum": Message(_IN_THE_DERIVATIVE + _WITH_SUM + "lacks a factor.", _MOVES_ALL),
            "derivative_sum_divided": Message(
                _IN_THE_DERIVATIVE + _WITH_SUM + "divides where it must multiply.", _MOVES_ALL
            ),
            "derivative_sum_of_another": Message(_IN_THE_DERIVATIVE + _WITH_SUM + "has another factor.", _MOVES_ALL),
            "unchanged": Message(
                "{upstream:start} goes through to {read} unchanged; the derivative of the line of {step} is missing.",
                _MOVE,
            ),
            "line_of_the_upstream": Message(
                "The line of {step} is applied to {upstream}; its derivative does not show in it.", _MOVE
            ),
            "upstream_times_a_number": Message(
                "{upstream:start} goes through to {read} times {factor}; the derivative of that line is no number.",
                _MOVE,
            ),
            "tensor_added": Message(
                "Your gradient is right, but {other} is added to it.", _ONLY_TERMS, line=_YOUR_LINE
            ),
            "multiple_added": Message(
                "Your gradient is right, but {other} times {factor} is added to it.", _ONLY_TERMS, line=_YOUR_LINE
            ),
            "number_beside": Message(
                "The number {number} is added to your gradient.",
                "The chain rule multiplies. Is a parenthesis missing around a difference?",
                line=_YOUR_LINE,
            ),
            "number_added": Message(
                "Your gradient is right, but the number {factor} is added to it.", _ONLY_TERMS, line=_YOUR_LINE
            ),
            "other_operand": Message(_OTHER_OPERAND, _MOVE),
            "operand_left_out": Message("{operand} is left out of the derivative of the line of {step}.", _MOVE),
            "times_a_tensor": Message(
                "{upstream:start} is multiplied with {other} before the sum, " + _NOT_THE_DERIVATIVE, _MOVE
            ),
            "times_a_power": Message(
                "{upstream:start} is multiplied with {other}**{power:g} before the sum, " + _NOT_THE_DERIVATIVE, _MOVE
            ),
            "off_by_a_power": Message(
                "Your gradient is {factor} times what it should be.",
                _MOVE,
            ),
            "term_off_by_a_power": Message("{part:Part} is {factor} times what it should be.", _MOVE, _REST),
            "whole_off_by_a_power": Message(
                "Your gradient is {factor} times what it should be; it is right but for that factor.",
                "Where does a power of {other} come in, and which one?",
            ),
            "other_function": Message(
                "You multiply {upstream} with something that depends on {other}, and it is not that line's derivative.",
                _MOVE,
            ),
            "other_function_of_a_term": Message("{part:Part} is off by a factor that depends on {other}.", _MOVE),
            "off_like_a_part": Message(
                "What your gradient is off by is the same all along each {axis_from_end:along}, as {part:part} is.",
                "Derive that part alone, and look for anything else that is added to whole {axis_from_end:along}s.",
            ),
            "other_function_of_all": Message(
                "Your gradient is off by a factor that depends on {other}.",
                "Where does {other} come in, and how often?",
            ),
            "factor_along_an_axis": Message(
                "Your gradient is off by a factor that is the same all along each {axis_from_end:along}, but not the "
                "same for all of them.",
                "A factor of that shape is missing or wrong. Which tensor has that shape?",
            ),
            "factor_along_an_axis_of_a_term": Message(
                "{part:Part} is off by a factor. It is the same all along each {axis_from_end:along}.",
                "A factor of that shape is missing or wrong in this term. Which tensor has that shape?",
                _REST,
            ),
            "one_number": Message(
                "{wrong} elements of your gradient hold the same number, {number}, and should differ.",
                "An = puts the number there; += and -= keep what is there already.",
                line=_YOUR_LINE,
            ),
            "factor_off_by_one": Message(
                "{upstream:start} is multiplied with a factor that is 1 too {large}.",
                "Derive the factor of that line once more. Is a 1 missing in it, or one too many?",
            ),
            "added_to_the_upstream": Message(
                "{other} is added to {upstream} before it goes into that line.",
                "{upstream:start} alone goes into that line, and each use of {read} adds one term.",
                _REST,
            ),
            "product_of_paths": Message(
                "The paths through {uses:and} are multiplied with each other.",
                "Two paths to the loss change it by the sum of what each does.",
            ),
            "should_be_zero": Message(
                "{step} does not depend on {wrong} of the elements of {read}. What comes through it is zero there, and "
                "yours is not.",
                _MOVE,
                _REST,
            ),
            "zero_above": Message(
                "The part of d{name} that comes through {step} is zero at {wrong} elements, and yours is not.",
                "Which elements of {upstream} are not zero? Only those pass anything on.",
                _REST,
            ),
            "other_places": Message(
                "{wrong} elements of your gradient should be zero and are not; {missing} others are zero and should "
                "not be.",
                "Look at the indices: which element does each number belong to?",
            ),
            "other_indices": Message(
                "The contributions are added up where {other} points, not where {step} took its elements from.",
                "Which indices stand in that line?",
            ),
            "indices_of_one_slice": Message(
                "All contributions are added up where slice {kept} of {other} points, along axis {axis}.",
                "Which indices stand in that line?",
            ),
            "slice_for_all": Message(
                "Slice {kept} of {upstream}, along axis {axis}, is added up in place of all others.",
                "Look at the indices on both sides of your +=: they are the same.",
            ),
            "indices_in_another_order": Message(
                "The contributions are added up where {other} points with its axes turned over.",
                "Look at the order of the indices, and at that of what is added.",
            ),
            "neighbour": Message(
                "Each contribution is that of its neighbour: along axis {axis}, {other} is shifted by one.",
                "Look at the indices on both sides of your +=: they are the same.",
            ),
            "wrong_positions": Message(
                "The right numbers are there, but {wrong} of them stand where your gradient should be zero.",
                "Look at the indices: which element does each number belong to?",
            ),
            "wrong_positions_of_a_term": Message(
                "{wrong} numbers of {part:part} are right, but stand at wrong places.",
                "Look at the indices: which element does each number belong to?",
                _REST,
            ),
            "given_unchanged": Message(
                "Your gradient is {other}, unchanged; the derivatives of the lines in between are missing.",
                "Follow the lines from {read} up to {source}: each has a derivative of its own.",
            ),
            "other_factor": Message(_PRODUCT + ": {other} is not the factor of that line.", _MOVE),
            "plus": Message("{upstream:start} and {other} are added where a product belongs.", _PLUS),
            "minus": Message("{other:start} is taken from {upstream} where a product belongs.", _PLUS),
            "parenthesis": Message(
                "A parenthesis is missing: {upstream} multiplies only a part of the derivative, and {constant} stands "
                "alone.",
                "Write the whole derivative between parentheses, and multiply after them.",
            ),
            "parenthesis_around_a_term": Message(
                "The term through {other} is multiplied with a factor of the one through {step}.",
                "Does a parenthesis take in too much? Each term has its own factor.",
                _REST,
            ),
            "slip": Message("In {parts:and}, {says:clauses}.", _EACH_PART, line=_ABOUT),
        },
    ),
    Code.OVERWRITTEN: Kind(
        "assigned where repeated indices add up at",
        {
            "later_uses": Message(
                "{read} is used {count:times}, in {uses:and}. Your gradient holds only what comes through {held:and}.",
                "On the way back, {last} comes after the others: = throws away what is there, += adds to it.",
            ),
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
            "pieces": Message(
                "The right {count} pieces are there along axis {axis}, but in the order {order:and}.",
                "In which order does the forward pass take them apart? Put them together in the same one.",
            ),
            "named_pieces": Message(
                "Along axis {axis} your gradient holds {have:and}, in this order; {want:and} belong there.",
                "In which order does the forward pass take them apart? Put them together in the same one.",
            ),
            "gradient": Message(
                "This is the gradient of {other}, not of {name}.",
                "Which of the two does your line assign, d{name} or d{other}?",
            ),
            "upstream": Message(
                "The form of your gradient is right, but d{other} went into it where {upstream} belongs.",
                "{read} acts on the loss through {step}: its gradient starts from there.",
            ),
            "operand": Message(
                _OTHER_OPERAND,
                "A derivative of a line is made of the line's own tensors; a gradient comes in once, as the upstream.",
            ),
            "too_far": Message(
                "This has gone a step too far: it is what d{name} gives at {other}, through the line of {name}.",
                _GONE_ON,
            ),
            "operand_overwritten": Message(
                "The gradient of {operand} stands where its value belongs.",
                "d{operand} is missing. Did a line assign {operand} that should assign d{operand}?",
            ),
            "exchanged_in_the_derivative": Message(
                "{other} and {upstream} have changed places in your line.",
                "The derivative is made of values; {upstream} multiplies it, once.",
            ),
            "exchanged": Message(
                _PRODUCT + ": value and gradient have changed places.",
                "{upstream:start} is the gradient to start from; the other factor is a value.",
            ),
            "product": Message(
                _PRODUCT + ", and {upstream} is not in that product.",
                "{read} acts on the loss through {step}: its gradient starts from there.",
            ),
            "gradient_as_factor": Message(
                _PRODUCT + ": two gradients are multiplied.",
                "A gradient comes in once, as the upstream; the other factor is a value of the line.",
            ),
        },
    ),
    Code.ALIASED: Kind(
        "had two names for one tensor at",
        {
            "same_numbers_below": Message("d{name} and d{other} hold the very same numbers." + _ALIAS, _COPY),
            "same_numbers": Message("d{name} and d{other} hold the very same numbers." + _ALIAS, _COPY),
            "changed_upstream": Message(
                "d{name} is made of the numbers of d{other}, in place of those of {upstream}." + _ALIAS, _COPY
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
                "Look for a sum in which all cancels, for two gradients multiplied, or for a factor far too small.",
            ),
            "later": Message(
                "The mistake is in this step. Mend the first ones, and submit again to hear more about this one.", None
            ),
        },
    ),
}

TWO_THINGS = "At least two things are off, perhaps by one slip."
# What else is wrong in an answer whose mistake was named. ``TWO_THINGS`` stands before both.
BESIDES: Mapping[str, str] = {
    "sign": "Besides, every sign is turned around.",
    "part_missing": "Besides, {parts:does_not_show}.",
    "part_turned": "Besides, the sign of {parts:and} is turned around.",
    "part_factor": "Besides, {parts:are} off by a factor of {factor}.",
    "part_slip": "Besides, in {parts:and}, {says:clauses}.",
    "number_added": "Besides, the number {number} is added to it.",
    "factor": "Besides, everything is off by a factor of {factor}.",
    "its_factor": "Besides, it is off by a factor of {factor}.",
    "its_sign": "Besides, its sign is turned around.",
    "term_missing": "Besides, the path from {read} through {step} is missing.",
    "term_sign": "Besides, the term that comes to {read} through {step} has the wrong sign.",
    "term_factor": "Besides, the term that comes to {read} through {step} is off by a factor of {factor}.",
    "term_sign_and_factor": (
        "Besides, the term that comes to {read} through {step} has the wrong sign. It is also off by a factor of "
        "{factor}."
    ),
    "term_along_an_axis": (
        "Besides, the part that comes to {read} through {step} is off. Its factor is the same all along each "
        "{axis_from_end:along}."
    ),
    "route_along_an_axis": (
        "Besides, the part that comes to {read} through {route:and} is off. Its factor is the same all along each "
        "{axis_from_end:along}."
    ),
    "route_missing": "Besides, the part that comes to {read} through {route:and} is missing.",
    "route_sign": "Besides, the part that comes to {read} through {route:and} has the wrong sign.",
    "route_factor": "Besides, the part that comes to {read} through {route:and} is off by a factor of {factor}.",
    "route_sign_and_factor": (
        "Besides, the part that comes to {read} through {route:and} has the wrong sign. It is also off by a factor of "
        "{factor}."
    ),
}

COUNTEREXAMPLE = (
    "Moving {name}[{index:indices}] by {step:plain} changes the loss by {change:plain}; your gradient says "
    "{predicted:plain}."
)
COUNTEREXAMPLE_NO_CHANGE = (
    "Moving {name}[{index:indices}] by {step:plain} does not change the loss; your gradient says {predicted:plain}."
)
INVARIANT = (
    "A number added to a whole {axis_from_end:along} of {name} does not change the loss, so each {axis_from_end:along} "
    "of d{name} sums to 0. In yours, {axis_from_end:along} {slice} sums to {total:plain}."
)


def diagnosis_of(
    finding: Finding, name: str, lines: Mapping[str, str], variables: Collection[str] | None = None
) -> Diagnosis:
    """Return the diagnosis of the checkpoint ``name`` with the sentences for a finding.

    ``lines`` maps each step to its line of the forward pass. ``variables`` are the names whose gradients the student
    has in a variable; by default all of them.

    :raises KeyError: the table has no such message, or its template names a value that the finding lacks
    """
    message = MESSAGES[finding.code].forms[finding.form]
    step = finding.at[0] if finding.at else name
    upstream = f"d{step}" if variables is None or step in variables else f"the gradient at {step}"
    values = {"name": name, "step": step, "upstream": upstream, **finding.values}
    if "wide" in values:
        values["spread"] = (values["narrow"], values["wide"])
    hints = [_kind(message, finding, values)]
    if message.advice is not None:
        part = finding.values.get("part")
        if isinstance(part, NamedPart) and part.about is not None and not finding.besides:
            hints += [part.about, _EACH_PART]  # the student's formula has no line of that step
        else:
            look = _look(finding.at, name, lines) if message.line is None else filled(message.line, values)
            hints += [look, filled(message.advice, values)]
    return Diagnosis(finding.code.value, tuple(hints))


def with_evidence(
    diagnosis: Diagnosis, counterexample: Counterexample | None, broken: BrokenInvariant | None
) -> Diagnosis:
    """Return a diagnosis with what shows that the gradient is wrong. A broken invariant belongs to the last hint."""
    if broken is not None and len(diagnosis.hints) > 1:
        *others, last = diagnosis.hints
        diagnosis = replace(diagnosis, hints=(*others, f"{last} {filled(INVARIANT, asdict(broken))}"))
    if counterexample is not None:
        template = COUNTEREXAMPLE if counterexample.change else COUNTEREXAMPLE_NO_CHANGE
        diagnosis = replace(diagnosis, counterexample=filled(template, asdict(counterexample)))
    return diagnosis


def mistake_phrase(code: str) -> str:
    """Return what students did who made a mistake of this kind; the name of the checkpoint follows it."""
    kind = MESSAGES.get(Code(code)) if code in set(Code) else None
    return f"made the mistake {code} at" if kind is None else kind.phrase


def _kind(message: Message, finding: Finding, values: Mapping[str, object]) -> str:
    kind = filled(message.kind, values)
    if finding.besides:
        besides = [filled(BESIDES[form], {"name": values["name"], **beside}) for form, beside in finding.besides]
        return " ".join([TWO_THINGS, kind, *besides])
    return kind if message.rest is None else f"{kind.removesuffix('.')}; {message.rest}."


def _look(steps: Sequence[str], name: str, lines: Mapping[str, str]) -> str:
    if not steps:
        return filled(ALL_LINES, {"name": name})
    if len(steps) == 1:
        return filled(LINE, {"line": lines.get(steps[0], steps[0])})
    return filled(LINES, {"steps": steps})
