"""`cmp` in a notebook: the lecture's line, one step at a time, with and without a network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from tests.support.processes import PROJECT


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@dataclass
class Clock:
    """The time of a notebook, which passes only when a test says so, and the timer that is set."""

    now: float = 0.0
    call: Callable[[], None] | None = None

    @property
    def timing(self) -> notebook.Timing:
        return notebook.Timing(now=lambda: self.now, start_timer=self._start)

    def _start(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        self.call = call
        return lambda: setattr(self, "call", None)

    def becomes_quiet(self) -> None:
        """Let so much time pass that what was compared is handed in."""
        assert self.call is not None
        self.call()

    def passes(self) -> None:
        """Let so much time pass that the network is tried again."""
        self.now += 60


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exercise(student: Student, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> notebook.NotebookExercise:
    """An exercise pulled in a notebook, by a student who has joined on the command line."""
    student.join()
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(student.config))
    pulled = notebook.pull(SLUG, network=student.fake.network, timing=clock.timing)
    student.capture.readouterr()
    student.fake.requests.clear()
    return pulled


def paths(fake: FakeDojo) -> list[str]:
    """The last part of each address that was asked."""
    return [request.url.path.rpartition("/")[2] for request in fake.requests]


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


def test_cmp_asks_about_one_tensor_and_hands_nothing_in(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    exercise.cmp("counts", expected()["counts"].requires_grad_() * 1)

    assert paths(fake) == ["check"]
    assert fake.requests[-1].headers["Content-Type"] == "application/vnd.safetensors"
    assert set(fake.checked[-1]) == {"dcounts"}
    assert not fake.graded


def test_cmp_sends_the_other_gradients_as_context(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    namespace: dict[str, object] = {}
    exercise.into(namespace)
    namespace |= {"dcounts": torch.ones(2, 3), "dlogits": torch.zeros(2, 3), "dother": torch.zeros(1)}

    exercise.cmp("logits", namespace["dlogits"])

    assert set(fake.checked[-1]) == {"dlogits", "context.dcounts"}
    assert torch.equal(fake.checked[-1]["context.dcounts"], torch.ones(2, 3))


def test_context_holds_what_was_compared_before(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    exercise.cmp("counts", torch.ones(2, 3))
    exercise.cmp("counts", torch.full((2, 3), 2.0))
    exercise.cmp("logits", torch.zeros(2, 3))

    assert torch.equal(fake.checked[-1]["context.dcounts"], torch.full((2, 3), 2.0))


@pytest.mark.parametrize("value", [None, 3.0, "text", torch.ones(2, dtype=torch.int64), [1.0]])
def test_what_is_no_gradient_is_no_context(exercise: notebook.NotebookExercise, fake: FakeDojo, value: object) -> None:
    exercise.into({"dcounts": value})
    exercise.cmp("logits", torch.zeros(2, 3))

    assert set(fake.checked[-1]) == {"dlogits"}


def test_context_too_large_to_send_stays_behind(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    exercise.into({"dcounts": torch.zeros(1100, 1000)})
    exercise.cmp("logits", torch.zeros(2, 3))

    assert set(fake.checked[-1]) == {"dlogits"}


def test_a_run_of_all_cells_is_one_submission(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock
) -> None:
    exercise.cmp("counts", expected()["counts"])
    exercise.cmp("logits", torch.ones(2, 3))
    assert not fake.graded

    clock.becomes_quiet()

    [submission] = fake.graded.values()
    assert [row["verdict"] for row in submission["grade"]["checkpoints"]] == ["exact", "wrong"]
    assert len(Outbox(exercise.folder)) == 0
    clock.becomes_quiet()
    assert len(fake.graded) == 1


def test_check_hands_in_what_was_compared_too(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock
) -> None:
    exercise.cmp("counts", expected()["counts"])
    exercise.check({"dcounts": expected()["counts"]})
    clock.becomes_quiet()

    assert paths(fake) == ["check", "submissions"]
    assert len(Outbox(exercise.folder)) == 0


def test_a_gradient_that_was_spoiled_after_cmp_is_handed_in_as_it_was(
    exercise: notebook.NotebookExercise, fake: FakeDojo
) -> None:
    gradient = expected()["counts"]
    exercise.cmp("counts", gradient)
    gradient += 1

    exercise.check({"dcounts": gradient})

    rows = [submission["grade"]["checkpoints"][0]["verdict"] for submission in fake.graded.values()]
    assert rows == ["exact", "wrong"]
    assert exercise.verdicts["counts"] == "exact"


def test_a_right_gradient_is_not_lost_by_a_wrong_one_after_it(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock
) -> None:
    for value in (torch.ones(2, 3), expected()["counts"], torch.ones(2, 3), torch.zeros(2, 3)):
        exercise.cmp("counts", value)
    clock.becomes_quiet()

    rows = [submission["grade"]["checkpoints"][0] for submission in fake.graded.values()]
    assert [row["verdict"] for row in rows] == ["exact", "wrong"]


def test_a_variable_counts_as_it_is_now_for_what_is_below_it(
    exercise: notebook.NotebookExercise, fake: FakeDojo
) -> None:
    namespace: dict[str, object] = {}
    exercise.into(namespace)
    exercise.cmp("counts", torch.ones(2, 3))
    namespace["dcounts"] = torch.zeros(2, 3)
    exercise.cmp("logits", torch.ones(2, 3))

    assert torch.equal(fake.checked[-1]["context.dcounts"], torch.zeros(2, 3))


def test_a_gradient_that_was_spoiled_waits_as_it_was(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    for _ in range(2):
        exercise.check({"dcounts": torch.ones(2, 3)})

    fake.before = None
    assert len(Outbox(exercise.folder)) == 2
    exercise.check({"dcounts": torch.ones(2, 3)})
    rows = [submission["grade"]["checkpoints"][0]["verdict"] for submission in fake.graded.values()]
    assert rows == ["exact", "wrong"]


def test_the_server_is_left_alone_as_long_as_it_asks_for(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock
) -> None:
    fake.before = lambda _: problem(429, "Too fast; wait 50 s.", Retry_After="50")
    exercise.cmp("counts", expected()["counts"])
    fake.before, fake.requests = None, []

    clock.now += 49
    exercise.cmp("counts", expected()["counts"])
    assert not fake.requests
    clock.now += 1
    exercise.cmp("counts", expected()["counts"])
    assert fake.requests


def test_check_takes_what_was_compared_under_another_name(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    exercise.cmp("counts", expected()["counts"])
    results = exercise.check({"dlogits": expected()["logits"]})

    assert results is not None
    assert results.grade.exact == 2


def test_an_unchanged_gradient_is_not_sent_again(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise.cmp("counts", expected()["counts"])
    clock.becomes_quiet()
    fake.requests.clear()

    exercise.cmp("counts", expected()["counts"])
    clock.becomes_quiet()

    line = "counts          | exact: True  | approximate: True  | maxdiff: 0.0\n"
    assert capsys.readouterr().out == line * 2
    assert not fake.requests


def test_unchanged_gradients_are_not_checked_again(exercise: notebook.NotebookExercise, fake: FakeDojo) -> None:
    first = exercise.check({"dcounts": expected()["counts"]})
    second = exercise.check({"dcounts": expected()["counts"]})

    assert paths(fake) == ["submissions"]
    assert repr(first) == repr(second)


def test_a_wrong_gradient_is_asked_about_again_when_one_above_it_changed(
    exercise: notebook.NotebookExercise, fake: FakeDojo
) -> None:
    namespace: dict[str, object] = {}
    exercise.into(namespace)
    for above in (torch.ones(2, 3), torch.ones(2, 3), torch.zeros(2, 3)):
        namespace["dcounts"] = above
        exercise.cmp("logits", torch.ones(2, 3))
    assert len(fake.checked) == 2

    for above in (torch.ones(2, 3), torch.zeros(2, 3)):
        namespace["dcounts"] = above
        exercise.cmp("logits", expected()["logits"])
    assert len(fake.checked) == 3


def test_the_same_run_in_a_new_kernel_is_the_same_submission(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock
) -> None:
    for kernel in (exercise, notebook.pull(SLUG, network=fake.network, timing=clock.timing)):
        kernel.cmp("counts", expected()["counts"])
        kernel.cmp("logits", expected()["logits"])
        clock.becomes_quiet()

    assert paths(fake).count("submissions") == 2
    assert len(fake.graded) == 1


def test_what_was_compared_outlives_the_kernel(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise.cmp("counts", expected()["counts"])  # and the kernel is killed
    capsys.readouterr()

    later = notebook.pull(SLUG, network=fake.network, timing=clock.timing)
    later.cmp("logits", expected()["logits"])

    assert capsys.readouterr().out.startswith("Sent 1 answer that waited for the network.\n")
    assert len(fake.graded) == 1


def test_a_kernel_that_ends_hands_in(student: Student, tmp_path: Path) -> None:
    script = """if True:
        from dojo import notebook
        from dojo.files import workspace
        from tests.client.fake import SLUG, FakeDojo, expected
        from pathlib import Path
        import sys

        fake = FakeDojo()
        folder = workspace.pull(fake.connection, SLUG, Path(sys.argv[1])).workspace
        import atexit
        atexit.register(lambda: print(len(fake.graded), "handed in"))  # runs last
        notebook.NotebookExercise(folder, lambda: fake.connection).cmp("counts", expected()["counts"])
    """
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "x")], check=True, capture_output=True, text=True, cwd=PROJECT
    )
    assert done.stdout.splitlines()[-1] == "1 handed in"


def test_a_pace_that_is_too_fast_refuses_nothing(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = lambda _: problem(429, "Too fast; wait 50 s.", Retry_After="50")
    exercise.cmp("counts", expected()["counts"])
    assert capsys.readouterr().out.splitlines()[1:] == [
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        f"    {notebook.LOCAL_REMARK}",
    ]

    fake.before = None
    clock.passes()
    clock.becomes_quiet()
    assert len(fake.graded) == 1


def test_a_refusal_behind_ones_back_is_told_by_the_next_call(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise.cmp("counts", expected()["counts"])
    fake.before = lambda _: problem(422, "That is no gradient.")
    capsys.readouterr()
    clock.becomes_quiet()
    assert capsys.readouterr().out == ""

    fake.before = None
    exercise.cmp("logits", expected()["logits"])

    assert capsys.readouterr().out.startswith("One of them was not taken: That is no gradient.\n")


def test_the_third_argument_says_which_step_it_is(
    exercise: notebook.NotebookExercise, fake: FakeDojo, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, object] = {}
    exercise.into(namespace)
    capsys.readouterr()

    exercise.cmp("counts", expected()["logits"], namespace["logits"])
    exercise.cmp("counts", namespace["counts"], expected()["counts"])

    assert capsys.readouterr().out.splitlines() == [
        "logits          | exact: True  | approximate: True  | maxdiff: 0.0",
        "    You wrote 'counts', and the third argument is logits: compared as dlogits.",
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        "    The gradient and its tensor were swapped: write cmp('counts', dcounts, counts).",
    ]


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


def test_without_a_network_cmp_compares_here(
    exercise: notebook.NotebookExercise, fake: FakeDojo, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    exercise.cmp("logits", torch.ones(2, 3))

    told = capsys.readouterr().out.splitlines()
    assert "could not be reached. Your answers are kept in" in told[0]
    assert told[1:] == [
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        f"    {notebook.LOCAL_REMARK}",
        "logits          | exact: False | approximate: False | maxdiff: 1.0",
        f"    {notebook.LOCAL_REMARK}",
    ]
    assert exercise.verdicts == {"counts": None, "logits": None}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Welcome aboard</html>"),
        httpx.Response(302, headers={"Location": "https://train.example/login"}),
        problem(500, "Something went wrong."),
        problem(503, "Not now.", Retry_After="1"),
    ],
)
def test_a_network_without_the_server_is_none(
    exercise: notebook.NotebookExercise,
    fake: FakeDojo,
    capsys: pytest.CaptureFixture[str],
    answer: httpx.Response,
) -> None:
    fake.before = lambda _: answer
    exercise.cmp("counts", expected()["counts"])
    results = exercise.check({"dcounts": expected()["counts"]})

    assert notebook.LOCAL_REMARK in capsys.readouterr().out
    assert results is not None
    assert results.submission is None
    assert len(Outbox(exercise.folder)) == 1


def test_a_refusal_is_no_missing_network(
    exercise: notebook.NotebookExercise, fake: FakeDojo, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = lambda _: problem(401, "This token was revoked. Type: dojo pair.")
    exercise.cmp("counts", expected()["counts"])

    assert exercise.check({"dcounts": expected()["counts"]}) is None
    assert capsys.readouterr().out == "This token was revoked. Type: dojo pair.\n" * 2
    assert len(Outbox(exercise.folder)) == 0


def test_without_a_network_cmp_does_not_try_it_each_time(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock
) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    tried = len(fake.requests)
    exercise.cmp("logits", expected()["logits"])
    assert len(fake.requests) == tried

    clock.passes()
    exercise.cmp("logits", expected()["logits"])
    assert len(fake.requests) > tried


def test_what_was_compared_offline_is_one_submission_later(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    exercise.cmp("logits", torch.ones(2, 3))
    assert len(Outbox(exercise.folder)) == 1
    fake.before, fake.requests = None, []
    clock.passes()
    capsys.readouterr()

    exercise.cmp("logits", expected()["logits"])

    assert capsys.readouterr().out.splitlines() == [
        "Sent 1 answer that waited for the network.",
        "logits          | exact: True  | approximate: True  | maxdiff: 0.0",
    ]
    assert paths(fake) == ["submissions", "check"]
    assert exercise.verdicts == {"counts": "exact", "logits": "exact"}
    clock.becomes_quiet()
    assert len(fake.graded) == 2


def test_an_answer_keeps_its_context_while_it_waits(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock
) -> None:
    namespace: dict[str, object] = {}
    exercise.into(namespace)
    fake.before = away
    namespace["dcounts"] = torch.ones(2, 3)
    exercise.cmp("logits", torch.zeros(2, 3))
    namespace["dcounts"] = torch.zeros(2, 3)
    fake.before, fake.requests = None, []
    clock.passes()

    clock.becomes_quiet()

    sent = safetensors.torch.load(fake.requests[-1].content)
    assert set(sent) == {"dlogits", "context.dcounts"}
    assert torch.equal(sent["context.dcounts"], torch.ones(2, 3))


def test_check_without_a_network_compares_here_and_waits(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    results = exercise.check({"dcounts": expected()["counts"], "dlogits": torch.ones(2, 3)})

    assert results is not None
    assert results.submission is None
    assert repr(results).splitlines()[-2:] == [notebook.LOCAL_REMARK, "1 of 2 pass, 1 exact"]
    assert notebook.LOCAL_REMARK in results._repr_html_()
    assert len(Outbox(exercise.folder)) == 1

    fake.before = None
    results = exercise.check({"dcounts": expected()["counts"], "dlogits": torch.ones(2, 3)})
    assert "Sent 1 answer that waited for the network." in capsys.readouterr().out
    assert results is not None
    assert results.submission is not None
    assert len(fake.graded) == 1


def test_a_folder_without_a_forward_pass_compares_later(
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = replace(exercise.folder, forward="")
    old = notebook.NotebookExercise(folder, lambda: fake.connection, is_current=True, timing=clock.timing)
    fake.before = away
    old.cmp("counts", expected()["counts"])

    assert "The forward pass cannot be played on this machine" in capsys.readouterr().out
    assert len(Outbox(folder)) == 1


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
    exercise: notebook.NotebookExercise, fake: FakeDojo, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.before = away
    exercise.cmp("counts", expected()["counts"])
    refusals = iter([problem(422, "That is no gradient.")])
    fake.before = lambda _: next(refusals, None)
    clock.passes()
    exercise.cmp("counts", expected()["counts"])
    assert "One of them was not taken: That is no gradient." in capsys.readouterr().out
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
    assert (own.count(html.RED), own.count(html.AMBER)) == (4, 0)
    assert (heir.partition("</tr>")[0].count(html.RED), heir.count(html.AMBER)) == (0, 5)  # one is in the strip
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
