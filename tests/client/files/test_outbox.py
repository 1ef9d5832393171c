"""Answers that wait for the network: none is lost, none is sent twice, none is sent where it does not fit."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
import pytest
import safetensors.torch
import torch

from dojo import errors
from dojo.files import workspace
from dojo.files.outbox import FOLDER, Outbox, SendResult
from dojo.files.workspace import Workspace
from tests.client.fake import SLUG, FakeDojo, expected, problem

CONTENT = safetensors.torch.save({"dcounts": expected()["counts"]})


@pytest.fixture
def pulled(fake: FakeDojo, tmp_path: Path) -> Workspace:
    """A pulled folder; what came in while it was pulled is forgotten."""
    found = workspace.pull(fake.connection, SLUG, tmp_path / "x").workspace
    fake.requests.clear()
    return found


def keys(fake: FakeDojo) -> list[str]:
    return [each.headers["Idempotency-Key"] for each in fake.requests]


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_that_passes_keeps_every_answer(fake: FakeDojo, pulled: Workspace, status: int) -> None:
    outbox = Outbox(pulled)
    outbox.put(CONTENT, "one")
    outbox.put(CONTENT, "two")
    fake.before = lambda _: problem(status, "Not now.")

    with pytest.raises(errors.Refused, match=r"Not now\."):
        outbox.send(fake.connection)
    assert len(outbox) == 2

    fake.before = None
    fake.requests.clear()
    assert len(outbox.send(fake.connection).submissions) == 2
    assert keys(fake) == ["one", "two"]
    assert len(outbox) == 0


def test_a_broken_network_keeps_unsent_answers(fake: FakeDojo, pulled: Workspace) -> None:
    outbox = Outbox(pulled)
    for key in ("one", "two", "three"):
        outbox.put(CONTENT, key)

    def breaks(request: httpx.Request) -> None:
        if request.headers["Idempotency-Key"] == "two":
            raise httpx.ConnectError("refused")

    fake.before = breaks
    with pytest.raises(errors.Unreachable):
        outbox.send(fake.connection)

    assert list(fake.graded) == ["one"]
    assert len(outbox) == 2


@pytest.mark.parametrize("status", [400, 404, 413, 415, 422])
def test_a_refused_answer_is_put_aside(fake: FakeDojo, pulled: Workspace, status: int) -> None:
    outbox = Outbox(pulled)
    outbox.put(CONTENT, "one")
    fake.before = lambda _: problem(status, "That is no gradient.")

    sent = outbox.send(fake.connection)

    assert (sent.submissions, sent.refused) == ((), ("That is no gradient.",))
    assert len(outbox) == 0
    assert [each.suffix for each in (pulled.folder / FOLDER).iterdir()] == [".refused"]


def test_an_answer_is_sent_as_it_was_put(fake: FakeDojo, pulled: Workspace) -> None:
    outbox = Outbox(pulled)
    outbox.put(CONTENT, "one")

    outbox.send(fake.connection)

    request = fake.requests[-1]
    assert request.content == CONTENT
    assert request.url.path.endswith(f"courses/autumn/exercises/{SLUG}/submissions")
    assert request.url.params["wait"] == "0"


def test_a_half_written_answer_is_not_sent(fake: FakeDojo, pulled: Workspace) -> None:
    outbox = Outbox(pulled)
    outbox.put(CONTENT, "one")
    [whole] = (pulled.folder / FOLDER).iterdir()
    whole.rename(whole.with_suffix(".half"))

    assert len(outbox) == 0
    assert outbox.send(fake.connection) == SendResult((), ())


def test_an_empty_outbox_asks_nobody(fake: FakeDojo, pulled: Workspace) -> None:
    assert Outbox(pulled).send(fake.connection) == SendResult((), ())
    assert not fake.requests
    assert not (pulled.folder / FOLDER).exists()


def test_answers_are_counted_in_words(fake: FakeDojo, pulled: Workspace) -> None:
    one = fake.connection.server.submit_tensors("autumn", SLUG, CONTENT, wait=0)

    assert SendResult((one,), ()).count() == "1 answer"
    assert SendResult((one, one), ("No.",)).count("earlier") == "2 earlier answers"
    assert SendResult((), ()).count() == "0 answers"


def test_the_state_may_be_replaced_while_answers_wait(fake: FakeDojo, pulled: Workspace) -> None:
    Outbox(pulled).put(CONTENT, "old")
    fake.content = safetensors.torch.save({"logits": torch.zeros(2, 3)})
    newer = workspace.pull(fake.connection, SLUG, pulled.folder).workspace
    outbox = Outbox(newer)
    outbox.put(CONTENT, "new")
    fake.requests.clear()

    sent = outbox.send(fake.connection)

    assert keys(fake) == ["new"]
    assert sent.refused == ("It was made on a forward state that has been replaced since.",)
    assert len(outbox) == 0


def test_an_answer_that_holds_another_takes_its_place(fake: FakeDojo, pulled: Workspace) -> None:
    outbox = Outbox(pulled)
    outbox.put(CONTENT, "other")
    first = outbox.put(CONTENT, "first")
    second = outbox.put(CONTENT, "second", replaces=first)

    outbox.send(fake.connection)

    assert keys(fake) == ["other", "second"]
    assert not second.exists()


def test_an_answer_may_be_replaced_after_it_was_sent(fake: FakeDojo, pulled: Workspace) -> None:
    outbox = Outbox(pulled)
    first = outbox.put(CONTENT, "first")
    outbox.send(fake.connection)

    outbox.put(CONTENT, "second", replaces=first)

    assert len(outbox) == 1


def test_a_removed_answer_is_not_sent(fake: FakeDojo, pulled: Workspace) -> None:
    outbox = Outbox(pulled)
    file = outbox.put(CONTENT, "one")

    outbox.remove(file)
    outbox.remove(file)

    assert outbox.send(fake.connection) == SendResult((), ())
    assert not fake.requests


def test_an_answer_that_cannot_be_written_leaves_the_one_before(fake: FakeDojo, pulled: Workspace) -> None:
    outbox = Outbox(pulled)
    first = outbox.put(CONTENT, "first")

    with pytest.raises(OSError, match="too long"):
        outbox.put(CONTENT, "x" * 300, replaces=first)

    assert first.exists()
