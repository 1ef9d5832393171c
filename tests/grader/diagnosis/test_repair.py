"""What is said was verified on the student's numbers: the repaired answer is right, or nothing claims that it is."""

from __future__ import annotations

import contextlib

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from exercises.instance import Instance
from exercises.registry import exercises, find
from exercises.tape import variables
from grader.answer import Answer, normalise
from grader.compare import Comparison, Diagnosis, Origin, compare
from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.messages import BESIDES, MESSAGES, TWO_THINGS, diagnosis_of
from grader.diagnosis.repair import VERIFIED_OTHERWISE, is_right, is_verified, replaced
from grader.grade import compare_all
from grader.origin.backward_replay import replay_backward
from grader.reference.gradients import reference
from tests.mistakes.catalogue import Mistake, load, source
from tests.mistakes.play import answers, play

FULL, CROSS_ENTROPY, BATCH_NORM = "makemore/full-backward", "makemore/cross-entropy", "makemore/batch-norm"
CANONICAL = {slug: Instance.canonical(exercise) for slug, exercise in exercises().items()}
# Claims about all that is not named; only a repair that makes the whole answer right allows them.
CLAIMS = ("the rest is right", "the others are right", "is right but", "is right, but", "the right form", "The right ")

PARTS = """
dbnraw = bngain * dhpreact
mean_part = dbnraw.sum(0, keepdim=True) / n
var_part = bnraw * (dbnraw * bnraw).sum(0, keepdim=True) / (n - 1)
"""


def own(rows: tuple[Comparison, ...]) -> dict[str, Comparison]:
    return {row.name: row for row in rows if row.origin is Origin.OWN}


def full(*changes: tuple[str, str]) -> dict[str, Comparison]:
    code = find(FULL).solution
    for old, new in changes:
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return own(play(CANONICAL[FULL], code))


def closed(slug: str, code: str) -> tuple[Diagnosis, ...]:
    """Return the diagnosis of a closed expression, exercise 2 or 3."""
    (row,) = own(play(CANONICAL[slug], code)).values()
    return row.diagnosis


def said(diagnosis: tuple[Diagnosis, ...]) -> str:
    return " ".join(each.message for each in diagnosis)


def case_of(name: str, answer: Tensor) -> Case:
    instance = CANONICAL[FULL]
    known = reference(instance)
    handed_in = {each.name: known.gradients[each.name] for each in find(FULL).checkpoints} | {name: answer}
    rows = [compare(each, normalise(given), known.gradients[each]) for each, given in handed_in.items()]
    return Case(instance, name, answer, replay_backward(known, handed_in, rows))


def among_right_ones(name: str, answer: Tensor) -> Comparison:
    """Return the row of one wrong answer, with the right gradients above it as context."""
    right = reference(CANONICAL[FULL]).gradients
    context = {each.name: normalise(right[each.name]) for each in find(FULL).checkpoints if each.name != name}
    return own(compare_all(CANONICAL[FULL], {name: normalise(answer)}, context=context))[name]


# The mechanism


def test_a_finding_whose_repair_leaves_an_error_is_dropped() -> None:
    right = reference(CANONICAL[FULL]).gradients["h"]
    spoiled = right.clone()
    spoiled[3, 5] += 1e-3 * right.abs().max()
    case = case_of("h", -spoiled)

    assert is_verified(case, Finding(Code.SIGN, "numbers", repair=right))
    assert is_verified(case, Finding(Code.SIGN, "numbers", repair=lambda: right))
    assert not is_verified(case, Finding(Code.SIGN, "numbers", repair=-case.answer))
    assert not is_verified(case, Finding(Code.SIGN, "numbers", repair=lambda: None))


def test_a_finding_without_a_repair_needs_another_proof() -> None:
    case = case_of("h", -reference(CANONICAL[FULL]).gradients["h"])

    assert not is_verified(case, Finding(Code.SIGN, "numbers"))
    assert is_verified(case, Finding(Code.UNKNOWN, "one_use"))


def test_what_needs_no_repair_claims_nothing_of_the_rest() -> None:
    for code, form in VERIFIED_OTHERWISE:
        message = MESSAGES[code].forms[form]
        assert message.rest is None
        assert not any(claim in message.kind for claim in CLAIMS), (code, form)


def test_no_sentence_holds_the_claim_that_the_repair_test_adds() -> None:
    for kind in MESSAGES.values():
        for message in kind.forms.values():
            assert "rest is right" not in message.kind + str(message.advice)


def test_the_rest_is_right_only_where_nothing_else_is_off() -> None:
    values = {"step": "probs", "read": "counts"}
    alone = diagnosis_of(Finding(Code.TERM_SIGN, "path", "probs", read="counts"), "counts", {})
    beside = diagnosis_of(
        Finding(Code.TERM_SIGN, "path", "probs", besides=[("term_missing", values)], read="counts"), "counts", {}
    )

    assert alone.hints[0].endswith("has the wrong sign; the rest is right.")
    assert beside.hints[0].startswith(TWO_THINGS) and "the rest" not in beside.hints[0]
    assert "the path from counts through probs is missing" in beside.hints[0]


def test_every_beside_is_one_that_a_hypothesis_makes() -> None:
    values = {
        "step": "a",
        "read": "b",
        "route": ("a", "b"),
        "factor": "n (32)",
        "parts": ["the a"],
        "says": ["b is"],
        "number": "-1",
    } | {"axis_from_end": 1}
    for form in BESIDES:
        finding = Finding(Code.TERM_SIGN, "path", "a", besides=[(form, values)], read="b")
        assert "Besides, " in diagnosis_of(finding, "b", {}).hints[0]


def test_nothing_is_right_beside_an_answer_so_large_that_it_hides_the_rest() -> None:
    right = reference(CANONICAL[FULL]).gradients["h"]
    case = case_of("h", right + 1e9)

    assert not is_right(case, right * 1.01)
    repaired = replaced(case, torch.full_like(right, 1e9), torch.zeros(()))
    assert repaired is not None and not is_right(case, repaired)


def test_what_stands_for_the_whole_may_be_larger_by_any_factor() -> None:
    right = reference(CANONICAL[FULL]).gradients["h"]
    large = torch.randn(right.shape, generator=torch.Generator().manual_seed(1)) * 1e9
    spoiled = large.clone()
    spoiled[0, 0] *= 1.01

    assert replaced(case_of("h", large), large, right) is right
    assert replaced(case_of("h", spoiled), large, right) is None


def test_what_is_left_over_has_no_place_in_another_shape() -> None:
    case = case_of("b2", torch.ones(32))

    assert replaced(case, torch.ones(32), case.right) is case.right
    assert replaced(case, torch.zeros(32), case.right) is None
    assert replaced(case, torch.ones(31), case.right) is None
    assert replaced(case, torch.ones(1), case.right) is None


# Every case of issue 12 that was false


def test_two_wrong_signs_are_both_said() -> None:
    diagnosis = closed(BATCH_NORM, PARTS + "dhprebn = bnvar_inv * (dbnraw + mean_part + var_part)")

    assert {each.code for each in diagnosis} == {"term_sign"}
    assert "rest is right" not in said(diagnosis)
    assert "The mean part is added, and it belongs subtracted" in said(diagnosis)
    assert "The variance part is added, and it belongs subtracted" in said(diagnosis)


def test_one_wrong_sign_is_said_alone() -> None:
    (diagnosis,) = closed(BATCH_NORM, PARTS + "dhprebn = bnvar_inv * (dbnraw + mean_part - var_part)")
    assert diagnosis.hints[0].startswith("The mean part is added, and it belongs subtracted")
    assert "variance" not in diagnosis.hints[0]


def test_two_factors_are_both_said() -> None:
    rows = full(
        (
            "dcounts = dprobs * counts_sum_inv + dcounts_sum  # counts is used twice: by the quotient and by its sum",
            "dcounts = counts_sum_inv * dprobs / n\ndcounts += torch.ones_like(counts) * dcounts_sum / vocab_size",
        )
    )
    text = said(rows["counts"].diagnosis)
    assert TWO_THINGS in text and "1/n (1/32)" in text and "1/vocab_size (1/27)" in text and "rest" not in text


def test_a_sign_without_its_mean_is_two_mistakes() -> None:
    diagnosis = closed(CROSS_ENTROPY, "dlogits = F.softmax(logits, 1)\ndlogits[range(n), Yb] += 1\n")

    assert {each.code for each in diagnosis} == {"term_sign", "scale"}
    assert all(TWO_THINGS in each.message for each in diagnosis)
    assert "p + 1 stands in place of p - 1" in diagnosis[0].message and "a factor of n (32)" in diagnosis[0].message
    assert "the sign of the part at the right class is turned around" in diagnosis[1].message


def test_a_path_is_blamed_not_the_line_that_other_paths_share() -> None:
    """Without n before dhpreact: of what comes through bndiff, the variance part is right."""
    (diagnosis,) = closed(
        BATCH_NORM,
        "mean_part = dhpreact.sum(0)\nvar_part = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)\n"
        "dhprebn = bngain * bnvar_inv / n * (dhpreact - mean_part - var_part)",
    )

    assert diagnosis.code == "term_scale"
    assert diagnosis.hints[0].startswith("The direct part is off by a factor in your formula: 1/n (1/32) times")


@pytest.mark.parametrize(
    ("code", "codes"),
    [
        ("dlogits = logits.exp().log() ** 2", ["missing_upstream"]),
        ("dlogits = logits.exp()", ["missing_term", "missing_local", "scale"]),
        ("dlogits = logits.exp() / n", ["missing_term", "missing_local"]),
        ("dlogits = F.softmax(-logits, 1)\ndlogits[range(n), Yb] -= 1\ndlogits /= n", ["missing_local"]),
    ],
)
def test_a_factor_that_depends_on_nothing_is_not_said(code: str, codes: list[str]) -> None:
    """It is told by the parts of the formula, each of which is named."""
    diagnosis = closed(CROSS_ENTROPY, code)

    assert [each.code for each in diagnosis] == codes
    assert "depends on" not in said(diagnosis)


def test_the_softmax_alone_is_the_path_through_the_sum() -> None:
    rows = full(
        (
            "dlogits = dnorm_logits + F.one_hot(logits.argmax(1), num_classes=vocab_size) * dlogit_maxes",
            "dlogits = F.softmax(logits, 1) / n",
        )
    )
    (diagnosis,) = rows["logits"].diagnosis
    assert diagnosis.code == "missing_term"
    assert "Of dcounts only the path through counts_sum went into your gradient." in diagnosis.message


def test_a_missing_parenthesis_is_named() -> None:
    (diagnosis,) = full(("(1.0 - h**2) * dh", "1.0 - h ** 2 * dh"))["hpreact"].diagnosis
    assert "dh multiplies only a part of the derivative" in diagnosis.message


def test_zeros_that_come_from_above_are_not_laid_on_the_line() -> None:
    code = "dprobs = torch.zeros_like(probs)\ndprobs[:, Yb] = -1.0 / n / probs[:, Yb]"
    texts = [
        said(full(("dprobs = dlogprobs / probs", code))["probs"].diagnosis),
        said(closed(CROSS_ENTROPY, "dlogits = F.softmax(logits, 1)\ndlogits[:, Yb] -= 1\ndlogits /= n")),
    ]
    assert "is zero at 512 elements" in texts[0]
    assert "1 is taken from every row in the columns of Yb, not from each row at its own" in texts[1]
    assert not any("does not depend" in text for text in texts)

    text = said(full(("dlogprobs[range(n), Yb]", "dlogprobs[:, Yb]"))["logprobs"].diagnosis)
    assert "loss does not depend on 512 of the elements of logprobs" in text


def test_numbers_at_wrong_places_are_not_laid_on_the_line() -> None:
    code = "dlogits = F.softmax(logits, 1)\ndlogits[range(n), logits.argmax(1)] -= 1\ndlogits /= n"
    text = said(closed(CROSS_ENTROPY, code))
    assert "it stands at the largest logit of a row, not where Yb points" in text and "depend" not in text


@pytest.mark.parametrize("factor", ["bnvar", "bnvar_inv**2", "bnvar**2"])
def test_a_factor_of_everything_blames_no_line_of_one_term(factor: str) -> None:
    (diagnosis,) = closed(BATCH_NORM, find(BATCH_NORM).solution.replace("bnvar_inv / n", f"{factor} / n"))
    assert "times what it should be; it is right but for that factor" in diagnosis.message
    assert "Look at all lines from hprebn on" in diagnosis.message


def test_a_power_in_one_part_blames_that_part() -> None:
    (diagnosis,) = closed(BATCH_NORM, PARTS + "dhprebn = bnvar_inv * (dbnraw - mean_part - bnvar * var_part)")
    assert diagnosis.hints[0] == (
        "In the variance part, bnvar_inv is left out twice, or bndiff stands where bnraw belongs, twice."
    )


def test_an_alias_points_at_the_line_that_was_copied() -> None:
    rows = full(("dhprebn = dbndiff + 1 / n * dbnmeani", "dhprebn = dbndiff\ndhprebn += 1 / n * dbnmeani"))
    (diagnosis,) = rows["bndiff"].diagnosis
    assert diagnosis.code == "aliased"
    assert "Look at the line bndiff = hprebn - bnmeani." in diagnosis.message


def test_an_upstream_that_is_there_is_not_missed() -> None:
    rows = full(("-(counts_sum**-2) * dcounts_sum_inv", "-2.0 / counts_sum ** 3 * dcounts_sum_inv"))
    (diagnosis,) = rows["counts_sum"].diagnosis
    assert diagnosis.code == "missing_local" and "2 * counts_sum**-1 times" in diagnosis.message


@pytest.mark.parametrize(
    ("slug", "old", "new"),
    [
        (FULL, "dbnraw = dhpreact * bngain", "dbnraw = dbngain * dhpreact"),
        (FULL, "dembcat = dhprebn @ W1.T", "dembcat = dhprebn @ W1.T * 1.0001"),
        (CROSS_ENTROPY, "F.softmax(logits, 1)", "logits.exp()"),
        (BATCH_NORM, "(dbnraw * bnraw).sum(0", "dbnraw.sum(0"),
        (BATCH_NORM, "(dbnraw * bnraw)", "(hpreact * bnraw)"),
    ],
)
def test_no_wrong_axis_is_invented(slug: str, old: str, new: str) -> None:
    solution = find(slug).solution
    assert solution.count(old) == 1
    for row in own(play(CANONICAL[slug], solution.replace(old, new))).values():
        assert row.diagnosis and "wrong_axis" not in [each.code for each in row.diagnosis]


def test_a_wrong_axis_inside_is_found_by_its_sum() -> None:
    for old, axis in (("(dbnraw * bnraw).sum(0", 1), ("dbnraw.sum(0", 1)):
        (diagnosis,) = closed(BATCH_NORM, find(BATCH_NORM).solution.replace(old, old.replace("(0", f"({axis}")))
        assert diagnosis.code == "wrong_axis" and "part, its sum runs along the rows." in diagnosis.message
    (diagnosis,) = closed(
        CROSS_ENTROPY, find(CROSS_ENTROPY).solution.replace("softmax(logits, 1)", "softmax(logits, 0)")
    )
    assert (
        diagnosis.code == "wrong_axis" and "In the softmax part, its sum runs along the columns." in diagnosis.message
    )


# Adversaries: what satisfies a check although the sentence would be false


def answers_of(mistake: Mistake) -> dict[str, Answer]:
    instance = CANONICAL[mistake.exercise]
    names = variables(instance.tensors()) | {"torch": torch, "F": functional}
    with contextlib.suppress(Exception):  # some mistakes stop the code
        exec(compile(source(mistake.exercise, [mistake]), "solution.py", "exec"), names)
    return answers(instance, names)


def is_large(mistake: Mistake) -> bool:
    """Whether the wrong answer has so many elements, of the right shape, that nothing fits them by chance."""
    answer = answers_of(mistake).get(mistake.first)
    right = reference(CANONICAL[mistake.exercise]).gradients[mistake.first]
    return answer is not None and answer.shape == tuple(right.shape) and right.numel() >= 100


LARGE = [mistake for mistake in load() if is_large(mistake)]


def test_most_mistakes_are_in_large_gradients() -> None:
    assert len(LARGE) > 100


@pytest.mark.parametrize("mistake", LARGE, ids=str)
def test_one_more_wrong_element_ends_every_claim_about_the_rest(mistake: Mistake) -> None:
    instance, given = CANONICAL[mistake.exercise], answers_of(mistake)
    tensor, right = given[mistake.first].tensor, reference(instance).gradients[mistake.first]
    assert tensor is not None
    spoiled = tensor.clone()
    spoiled.view(-1)[right.abs().argmax()] += 0.03 * max(right.abs().max(), tensor.abs().max())
    given[mistake.first] = normalise(spoiled)

    row = own(compare_all(instance, given))[mistake.first]

    assert not any(claim in said(row.diagnosis) for claim in CLAIMS), row.diagnosis
    assert TWO_THINGS not in said(row.diagnosis)


@pytest.mark.parametrize(
    ("slug", "old", "new", "text"),
    [
        # 1 - embcat**2 fits with another sign, since each column of dhprebn sums to zero
        (FULL, "dW1 = embcat.T @ dhprebn", "dW1 = (embcat**2).T @ dhprebn", "embcat**2 stands in the derivative"),
        # a term of the shape [32, 1] is not probs times anything; what comes of it is
        (
            CROSS_ENTROPY,
            "F.softmax(logits, 1)",
            "F.softmax(logits, 1)**2",
            "The softmax part is probs times what it should be; the rest is right.",
        ),
        (
            CROSS_ENTROPY,
            "F.softmax(logits, 1)",
            "F.log_softmax(logits, 1)",
            "In the softmax part, the logarithm of the softmax stands there.",
        ),
    ],
)
def test_of_what_fits_the_plain_reading_is_said(slug: str, old: str, new: str, text: str) -> None:
    solution = find(slug).solution
    assert solution.count(old) == 1
    (row,) = own(play(CANONICAL[slug], solution.replace(old, new))).values()
    assert text in said(row.diagnosis)
    assert "1 - embcat" not in said(row.diagnosis)


def test_any_constant_is_not_the_derivative_times_a_number() -> None:
    old = "dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)"
    (diagnosis,) = full((old, "dlogit_maxes = dlogprobs.sum(1, keepdim=True)"))["logit_maxes"].diagnosis
    assert diagnosis.code == "unknown"


def test_junk_where_a_term_is_zero_is_not_laid_on_that_term() -> None:
    answer = reference(CANONICAL[FULL]).gradients["logits"].clone()
    answer[2, 3:6] += torch.tensor([0.1, -0.2, 0.3])
    row = among_right_ones("logits", answer)
    assert [each.code for each in row.diagnosis] == ["unknown"]


@pytest.mark.parametrize(
    ("slug", "code", "first", "second"),
    [
        (
            BATCH_NORM,
            PARTS + "dhprebn = bnvar_inv * (-dbnraw - mean_part - bnraw * dbnraw.abs().mean(0))",
            "through bndiff, bnraw and hpreact has the wrong sign",
            "through bndiff2 is off. Its factor is the same all along each column",
        ),
        (
            CROSS_ENTROPY,
            "dlogits = logits.exp() / n\ndlogits[range(n), Yb] += 1 / n",
            "At the right class, p + 1 stands in place of p - 1.",
            "Besides, in the softmax part, the exponentials are not divided by their sum.",
        ),
        (
            CROSS_ENTROPY,
            "dlogits = logits.exp()",
            "Nothing of the part at the right class shows in your formula: it is missing, or it cancels.",
            "Besides, in the softmax part, the exponentials are not divided by their sum.",
        ),
    ],
)
def test_of_two_mistakes_the_one_with_a_name_is_said(slug: str, code: str, first: str, second: str) -> None:
    text = said(closed(slug, code))
    assert TWO_THINGS in text and first in text and second in text and "the rest is right" not in text


@pytest.mark.parametrize("factor", [1e-7, 1e-20, 1e-30])
def test_a_tiny_factor_is_no_sum_that_cancels(factor: float) -> None:
    (diagnosis,) = among_right_ones("h", reference(CANONICAL[FULL]).gradients["h"] * factor).diagnosis
    assert diagnosis.code == "scale"


def test_a_sum_that_cancels_is_named_with_its_axis() -> None:
    solution = find(BATCH_NORM).solution + "dhprebn = dhprebn.sum(0, keepdim=True)\n"
    (diagnosis,) = closed(BATCH_NORM, solution)
    assert diagnosis.code == "wrong_axis" and "along axis 0 of dhprebn, everything cancels" in diagnosis.message


def test_a_small_gradient_of_no_form_is_not_called_cancelled() -> None:
    tiny = torch.randn(64, 27, generator=torch.Generator().manual_seed(1)) * 1e-12
    (diagnosis,) = among_right_ones("W2", tiny).diagnosis
    assert diagnosis.code == "unknown" and "of what it should be" in diagnosis.hints[0]


def test_one_element_has_no_factor() -> None:
    """One number is any other number times something; only a factor with a name is said."""
    right = reference(CANONICAL[FULL]).gradients["logits"]
    answer = right.clone()
    answer[0, 0] = 0.4321
    row = among_right_ones("logits", answer)
    assert [each.code for each in row.diagnosis] == ["unknown"]


def test_a_forward_value_is_called_a_forward_value() -> None:
    text = said(full(("dh = dlogits @ W2.T", "dh = logits @ W2.T"))["h"].diagnosis)
    assert "logits, a tensor of the forward pass, stands where dlogits belongs" in text


def test_a_number_in_place_of_the_derivative_is_said() -> None:
    old = "dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv"
    text = said(full((old, "dbnvar = -0.5 * dbnvar_inv"))["bnvar"].diagnosis)
    assert "dbnvar_inv goes through to bnvar times -1/2" in text and "unchanged" not in text


def test_a_multiple_that_is_added_is_no_tensor_that_is_added() -> None:
    text = said(full(("dh = dlogits @ W2.T", "dh = dlogits @ W2.T + h / n"))["h"].diagnosis)
    assert "h times 1/n (1/32) is added" in text


def test_another_operand_and_a_factor_are_two_things() -> None:
    text = said(full(("dbnraw = dhpreact * bngain", "dbnraw = n * dhpreact * bnbias"))["bnraw"].diagnosis)
    assert TWO_THINGS in text and "bnbias stands" in text and "a factor of n (32)" in text


def test_a_term_so_large_that_it_hides_the_rest_proves_nothing_of_it() -> None:
    """The other term is not there at all, and the numbers are the same with it."""
    old = "dcounts = dprobs * counts_sum_inv + dcounts_sum  #"
    text = said(full((old, "dcounts = dprobs * counts_sum_inv * 1e8  #"))["counts"].diagnosis)
    assert "rest is right" not in text and "off by a factor" not in text


def test_a_small_factor_is_a_number_unless_an_axis_has_that_length() -> None:
    assert "is 3 times" in said(full(("dbnvar = -0.5", "dbnvar = -1.5"))["bnvar"].diagnosis)
    text = said(full(("demb = dembcat.view(emb.shape)", "demb = dembcat.view(emb.shape) / 3"))["emb"].diagnosis)
    assert "1/block_size (1/3) times" in text


def test_numbers_in_any_order_are_not_called_turned_over() -> None:
    def codes(change: str) -> list[str]:
        row = full(("demb = dembcat.view(emb.shape)", change))["emb"]
        return [each.code for each in row.diagnosis]

    assert codes("demb = dembcat.T.reshape(emb.shape)") == ["transposed", "wrong_axis"]
    assert codes("demb = dembcat.flip(1).view(emb.shape)") == ["wrong_axis"]


# Every input is a verdict


def test_a_denormal_square_divides_by_nothing() -> None:
    rows = full(
        ("dlogprobs[range(n), Yb] = -1.0 / n", "dlogprobs[range(n), Yb] = -1e-25"),
        ("dprobs = dlogprobs / probs", "dprobs = 3 * dlogprobs"),
    )
    assert {"logprobs", "probs"} <= set(rows)
    assert [each.code for each in rows["logprobs"].diagnosis] == ["scale"]


def test_an_upstream_that_overflows_ends_the_search() -> None:
    rows = full(
        ("dprobs = dlogprobs / probs", "dprobs = torch.full_like(probs, -3.4e38)"),
        (
            "dcounts_sum_inv = (dprobs * counts).sum(1, keepdim=True)",
            "dcounts_sum_inv = (dlogprobs / probs * counts).sum(1, keepdim=True) * 1e38",
        ),
    )
    (diagnosis,) = rows["counts_sum_inv"].diagnosis
    assert diagnosis.code == "unknown" and "Mend the gradients above first." in diagnosis.message
