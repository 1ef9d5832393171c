"""A student in the folder of a pulled exercise, and what they may hand in."""

from __future__ import annotations

import os
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.client.conftest import Student
from tests.client.fake import SLUG

RIGHT = "dcounts = n / counts\ndlogits = torch.full((2, 3), 2.0)\n"
HALF = "dcounts = n / counts\ndlogits = torch.ones(2, 3)\ncmp('logits', dlogits)\n"


@pytest.fixture
def pulled(student: Student) -> Student:
    """A student in the folder of a pulled exercise."""
    student.join()
    assert student.type("pull", SLUG)[0] == 0
    os.chdir("cross-entropy")
    return student


@pytest.fixture
def losing(pulled: Student) -> Student:
    """A student with a right answer, whose server is lost once it has it: before its grade."""
    Path("solution.py").write_text(RIGHT)
    pulled.fake.waits, pulled.fake.breaks_after = 5, 1

    def goes_away(request: httpx.Request) -> None:
        if request.url.path.endswith("/submissions/1"):
            raise httpx.ConnectError("refused")

    pulled.fake.before = goes_away
    return pulled
