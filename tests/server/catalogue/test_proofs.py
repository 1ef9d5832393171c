"""A course shows which exercises are proved, and by whom."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from author.prove.proof import FORMAT, PURPOSE, Proof, content_of
from exercises.registry import find
from grader.records.signature import public_key, signed
from server.catalogue.proofs import Proofs
from tests.support.servers import EXERCISES, FULL, RunningServer

SECRET, OTHER = b"0123456789abcdef0123456789abcdef", b"another secret of some other server"
LOSS = "makemore/cross-entropy"
SAID: dict[str, object] = {"seeds": 1, "exact": 1, "rows": 1, "mistakes": 1, "named": 1}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite: nothing here is about databases."""
    return f"sqlite:///{tmp_path}/dojo.db"


@cache
def proof(slug: str = LOSS) -> Proof:
    """A proof of an exercise that nobody made: what is shown is tested here, and not what is proved."""
    exercise = find(slug)
    return Proof(slug, exercise.revision, content_of(exercise), "", False, 20, 1, 19, 20, 9, 0, 9, 9, 1.0, ())


def test_a_kept_proof_is_found_again(tmp_path: Path) -> None:
    proofs = Proofs(tmp_path, SECRET)
    assert proofs.of(find(LOSS)) is None
    proofs.keep(proof())
    found = Proofs(tmp_path, SECRET).of(find(LOSS))
    assert found is not None and found.by_this_server
    assert (found.key, found.seeds, found.mistakes, found.named) == (public_key(SECRET), 20, 9, 9)
    assert (found.exact, found.answers) == (19, 20)


def test_two_slugs_with_the_same_letters_have_files_of_their_own(tmp_path: Path) -> None:
    proofs = Proofs(tmp_path, SECRET)
    one, other = (replace(proof(), exercise=slug) for slug in ("a/b-c", "a-b/c"))

    assert proofs.keep(one) != proofs.keep(other)


def test_the_proof_of_another_server_comes_with_the_pack(tmp_path: Path) -> None:
    packed = replace(find(LOSS), proof=proof().signed(OTHER))
    found = Proofs(tmp_path, SECRET).of(packed)
    assert found is not None and not found.by_this_server
    assert found.key == public_key(OTHER)


def test_a_proof_of_what_has_changed_since_is_not_shown(tmp_path: Path) -> None:
    proofs = Proofs(tmp_path, SECRET)
    proofs.keep(replace(proof(), content="0" * 64))
    assert proofs.of(find(LOSS)) is None
    proofs.keep(proof())
    assert proofs.of(replace(find(LOSS), summary="Another.")) is None


@pytest.mark.parametrize("left", [{}, SAID | {"seeds": "many"}, SAID | {"seeds": -1}])
def test_a_packs_proof_that_says_nothing_is_left_out(tmp_path: Path, left: dict[str, object]) -> None:
    exercise = find(LOSS)
    said = {"exercise": LOSS, "revision": exercise.revision, "content": content_of(exercise), "is_sound": True}
    record = signed({"purpose": PURPOSE, "format": FORMAT, "proof": said | left}, OTHER)

    assert Proofs(tmp_path, SECRET).of(replace(exercise, proof=record)) is None


def test_a_changed_file_is_not_shown(tmp_path: Path) -> None:
    proofs = Proofs(tmp_path, SECRET)
    path = proofs.keep(proof())
    envelope = json.loads(path.read_bytes())
    envelope["signed"]["proof"]["mistakes"] = 1_000
    path.write_text(json.dumps(envelope))
    assert proofs.of(find(LOSS)) is None


def test_the_list_and_the_exercise_show_a_proof(server: RunningServer) -> None:
    settings = server.services.settings
    Proofs(settings.data, settings.key).keep(proof())
    student = server.join()
    listed = {each["slug"]: each["proved"] for each in student.get(EXERCISES).json()["exercises"]}
    assert listed[FULL] is None
    assert listed[LOSS]["by_this_server"] is True
    assert listed[LOSS]["key"] == student.get("/api/v1/signing-key").json()["key"]
    assert student.get(f"{EXERCISES}/{LOSS}").json()["proved"] == listed[LOSS]
