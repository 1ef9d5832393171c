"""`cmp` in a notebook: the lecture's line, one step at a time, with and without a network."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
import pytest
import safetensors.torch
import torch

from dojo import errors, notebook
from dojo.files.outbox import Outbox
from dojo.files.workspace import open_workspace
from dojo.show import html
from tests.client.conftest import Student
from tests.client.fake import EXPLANATION, SLUG, TOKEN, FakeDojo, expected, problem, state


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.fixture
def exercise(student: Student, monkeypatch: pytest.MonkeyPatch) -> notebook.NotebookExercise:
    """An exercise pulled in a notebook, by a student who has joined on the command line."""
    student.join()
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(student.config))
    found = notebook.pull(SLUG, network=student.fake.network)
    student.capture.readouterr()
    return found


def test_into_brings_the_state_without_grad(exercise: notebook.NotebookExercise) -> None:
    namespace: dict[str, object] = {}
    exercise.into(namespace)
    assert set(namespace) == set(state())
    assert namespace["n"] == 2
    logits = namespace["logits"]
    assert isinstance(logits, torch.Tensor)
    assert not logits.requires_grad


def test_cmp_prints_the_lectures_line(exercise: notebook.NotebookExercise, capsys: pytest.CaptureFixture[str]) -> None:
    exercise.cmp("counts", expected()["counts"], state()["counts"])
    exercise.cmp("logits", torch.ones(2, 3))
    assert capsys.readouterr().out.splitlines() == [
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        "logits          | exact: False | approximate: False | maxdiff: 1.0",
        "    This is a factor of 2 off.",
    ]
    assert exercise.verdicts == {"counts": "exact", "logits": "wrong"}
    assert repr(exercise) == f"{SLUG}: 1 of 2 pass"


def test_the_best_verdict_of_a_step_stays(exercise: notebook.NotebookExercise) -> None:
    exact = expected()["counts"]
    verdicts = []
    for value in (exact * 2, exact * (1 + 1e-6), exact * 2, exact, exact * (1 + 1e-6), exact * 2):
        exercise.cmp("counts", value)
        verdicts.append(exercise.verdicts["counts"])
    assert verdicts == ["wrong", "approximate", "approximate", "exact", "exact", "exact"]


def test_cmp_sends_one_tensor(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    exercise.cmp("counts", expected()["counts"].requires_grad_() * 1)
    assert fake.requests[-1].headers["Content-Type"] == "application/vnd.safetensors"
    assert b"dlogits" not in fake.requests[-1].content


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("countz", torch.ones(1), "Did you mean counts?"),
        ("xyz", torch.ones(1), "There are: counts, logits."),
        ("counts", None, "dcounts is None."),
        ("counts", 3.0, "dcounts is a float"),
    ],
)
def test_a_slip_is_explained_and_not_sent(
    exercise: notebook.NotebookExercise,
    fake: FakeDojo,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: object,
    says: str,
) -> None:
    sent = len(fake.requests)
    exercise.cmp(name, value)
    assert says in capsys.readouterr().out
    assert len(fake.requests) == sent


def test_check_sends_every_answer_at_once(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    namespace = {"dcounts": expected()["counts"], "dlogits": expected()["logits"], "other": 1}
    before = len(fake.requests)
    results = exercise.check(namespace)
    assert results is not None
    assert len(fake.requests) == before + 1
    assert repr(results).splitlines()[-1] == "2 of 2 pass, 2 exact"


def test_check_skips_an_answer_that_is_no_tensor(exercise: notebook.NotebookExercise) -> None:
    results = exercise.check({"dcounts": expected()["counts"], "dlogits": 3.0})
    assert results is not None
    assert "dlogits is a float" in repr(results)
    assert results.grade.passed == 1


def test_check_takes_the_namespace_that_into_filled(exercise: notebook.NotebookExercise) -> None:
    namespace: dict[str, object] = {}
    exercise.into(namespace)
    namespace["dcounts"] = expected()["counts"]
    results = exercise.check()
    assert results is not None
    assert results.grade.exact == 1


def test_check_without_answers_says_what_to_do(
    exercise: notebook.NotebookExercise, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exercise.check({}) is None
    assert "Assign a tensor to dcounts first." in capsys.readouterr().out


def test_the_next_call_sends_waiting_answers(
    exercise: notebook.NotebookExercise, fake: FakeDojo, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    exercise.cmp("logits", expected()["logits"])
    assert "is kept in" in capsys.readouterr().out
    assert len(Outbox(exercise.folder)) == 2
    tried = {request.headers.get("Idempotency-Key") for request in fake.requests}
    fake.before, fake.requests = None, []
    exercise.cmp("logits", expected()["logits"])
    assert capsys.readouterr().out.splitlines() == [
        "Sent 2 answers that waited for the network.",
        "logits          | exact: True  | approximate: True  | maxdiff: 0.0",
    ]
    keys = [request.headers["Idempotency-Key"] for request in fake.requests]
    assert keys[0] in tried
    assert len(set(keys)) == 3
    assert exercise.verdicts == {"counts": "exact", "logits": "exact"}
    assert len(Outbox(exercise.folder)) == 0


def test_a_command_sends_waiting_answers(
    exercise: notebook.NotebookExercise, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.fake.before = away
    exercise.cmp("counts", expected()["counts"])
    student.fake.before = None
    student.capture.readouterr()
    monkeypatch.chdir(exercise.folder.folder)
    _, _, err = student.type("status")
    assert err == "Sent 1 earlier answer of the notebook.\n"
    assert len(Outbox(exercise.folder)) == 0


def test_a_refused_answer_does_not_block_the_rest(
    exercise: notebook.NotebookExercise, fake: FakeDojo, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    refusals = iter([problem(422, "That is no gradient.")])
    fake.before = lambda _: next(refusals, None)
    exercise.cmp("counts", expected()["counts"])
    assert "One of them was not taken: That is no gradient." in capsys.readouterr().out
    assert len(Outbox(exercise.folder)) == 0
    assert len(list((exercise.folder.folder / ".dojo-outbox").glob("*.refused"))) == 1


def test_answers_on_a_replaced_state_are_not_sent(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    mark = exercise.folder.folder / ".dojo.json"
    mark.write_text(mark.read_text().replace(exercise.folder.digest, "f" * 64))
    fake.before = None
    sent = Outbox(open_workspace(exercise.folder.folder)).send(exercise._connect())
    assert sent.submissions == ()
    assert len(sent.refused) == 1


def test_pulling_without_a_network_opens_the_earlier_copy(
    exercise: notebook.NotebookExercise, fake: FakeDojo, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.before = away
    assert "logits" in notebook.pull(SLUG, network=fake.network).tensors
    monkeypatch.chdir(exercise.folder.folder)
    assert "logits" in notebook.pull(SLUG, network=fake.network).tensors
    assert "logits" in notebook.open_folder().tensors
    with pytest.raises(errors.Unreachable):
        notebook.pull("makemore/full-backward", network=fake.network)


def test_shown_text_is_escaped(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    def hostile(request: httpx.Request) -> httpx.Response | None:
        fake.before = None
        answer = fake(request).json()
        answer["grade"]["checkpoints"][0]["notes"] = ["<script>alert(1)</script>"]
        answer["grade"]["checkpoints"][0]["name"] = "<b>counts"
        return httpx.Response(201, json=answer)

    fake.before = hostile
    results = exercise.check({"dcounts": torch.ones(2, 3)})
    assert results is not None
    shown = results._repr_html_()
    assert "<script>" not in shown
    assert "<b>counts" not in shown
    assert "&lt;script&gt;" in shown
    assert TOKEN not in shown


def test_the_page_links_the_step_that_is_stuck(exercise: notebook.NotebookExercise) -> None:
    results = exercise.check({"dcounts": torch.ones(2, 3)})
    assert results is not None
    assert "the lecture at 1:00" in results._repr_html_()
    assert "1 of 2" not in exercise._repr_html_()
    assert "0 of 2" in exercise._repr_html_()


def test_colours_tell_a_mistake_from_what_inherits_it(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    def inherits(request: httpx.Request) -> httpx.Response | None:
        fake.before = None
        answer = fake(request).json()
        answer["grade"]["checkpoints"][1]["origin"] = "inherited"
        return httpx.Response(201, json=answer)

    fake.before = inherits
    results = exercise.check({"dcounts": torch.ones(2, 3), "dlogits": torch.ones(2, 3)})
    assert results is not None
    assert exercise.verdicts == {"counts": "wrong", "logits": "inherited"}
    shown = results._repr_html_()
    own, heir = shown.split("<tr>")[2:4]
    assert (own.count(html.RED), own.count(html.AMBER)) == (3, 0)
    assert (heir.partition("</tr>")[0].count(html.RED), heir.count(html.AMBER)) == (0, 4)  # one is in the strip
    missing = exercise.check({"dcounts": torch.ones(2, 3)})
    assert missing is not None
    assert missing._repr_html_().split("<tr>")[3].count(">-</span>") == 2


def test_an_error_in_ipython_has_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(errors.BadFile) as caught:
        notebook.open_folder(tmp_path)
    assert caught.value._render_traceback_()[1].startswith("Type: dojo pull")


def test_a_replaced_state_is_not_compared(
    exercise: notebook.NotebookExercise, fake: FakeDojo, capsys: pytest.CaptureFixture[str]
) -> None:
    old = notebook.open_folder(exercise.folder.folder, network=fake.network)
    fake.content = safetensors.torch.save({"logits": torch.zeros(2, 3)})
    old.cmp("counts", expected()["counts"])
    assert "dojo pull" in capsys.readouterr().out
    assert not fake.graded
    assert len(Outbox(old.folder)) == 0


def test_a_passed_step_is_explained(exercise: notebook.NotebookExercise, capsys: pytest.CaptureFixture[str]) -> None:
    exercise.explain("counts")
    exercise.explain("logits")
    exercise.explain("countz")

    assert capsys.readouterr().out.splitlines() == [
        "dcounts",
        *(f"  {line}" for line in EXPLANATION),
        "A step is explained once you have passed it. Hand in dlogits first.",
        f"{SLUG} has no step “countz”. Did you mean counts?",
    ]
