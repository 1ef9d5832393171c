"""A student in the folder of a pulled exercise, and what they may hand in."""

from __future__ import annotations

import os

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
