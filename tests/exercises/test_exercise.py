"""An exercise makes instances, and reads its own forward pass."""

from __future__ import annotations

import pytest

from exercises import names
from exercises.catalog import CATALOG
from exercises.instance import Kind

FULL = CATALOG["makemore/full-backward"]


def test_a_line_comes_without_its_comment() -> None:
    assert "embcat = emb.view(emb.shape[0], -1)  # " in FULL.forward_source

    assert FULL.lines["embcat"] == "embcat = emb.view(emb.shape[0], -1)"


def test_the_canonical_instance_is_of_kind_canonical() -> None:
    assert FULL.canonical().kind is Kind.CANONICAL


@pytest.mark.parametrize("kind", [Kind.STUDENT, Kind.HIDDEN])
def test_a_drawn_instance_is_of_the_kind_asked_for(kind: Kind) -> None:
    assert FULL.draw(1, names.load(), kind).kind is kind
