"""The page on which staff paste a forward pass: what came of it, where it was refused, and its folder."""

from __future__ import annotations

import io
import zipfile

from author.prove.proof import Proof, content_of
from exercises.registry import find
from server.catalogue.proofs import Proofs
from tests.pages.staff_desk import Office, said
from tests.support.servers import FULL

GIVEN = "x = param(3)\n"
LINES = "y = x * x\nloss = y.sum()\n"


def test_a_forward_pass_is_read_and_taken_along(office: Office) -> None:
    form = {"given": GIVEN, "lines": LINES}

    read = office.instructor.post("authoring", {**form, "act": "read"})
    folder = office.instructor.post("authoring", {**form, "act": "download"})

    assert "dx = 2 * x * dy" in said(read) or "dx = 2 * dy * x" in said(read)
    assert "row wrap" in read.text  # three buttons are wider than a phone
    assert "<math" in read.text and "To teach with it" in read.text
    with zipfile.ZipFile(io.BytesIO(folder.content)) as archive:
        assert "my-pack/exercise/forward.py" in archive.namelist()
        assert archive.read("my-pack/exercise/forward.py").decode() == LINES


def test_a_refusal_shows_its_line(office: Office) -> None:
    page = office.instructor.post("authoring", {"given": GIVEN, "lines": "y = x * x\nloss = y.nonsense()\n"})

    assert "Line 2" in said(page) and "loss = y.nonsense()" in page.text
    assert "Download the folder" not in page.text


def test_the_page_begins_with_an_example(office: Office) -> None:
    assert "logprobs = logits.log_softmax(1)" in office.instructor.get("authoring").text


def test_the_page_says_what_is_proved(office: Office) -> None:
    exercise = find(FULL)
    proof = Proof(FULL, exercise.revision, content_of(exercise), "", False, 20, 1, 19, 20, 9, 0, 9, 8, 1.0, ())

    before = said(office.instructor.get("authoring"))
    kept = Proofs(office.services.settings.data, office.services.settings.key).keep(proof)
    after = said(office.instructor.get("authoring"))
    kept.unlink()

    assert f"{FULL} not proved" in before
    assert f"{FULL} proved by this server 95 % 8 of 9" in after
