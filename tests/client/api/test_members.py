"""A member of an answer is what the API promises, or the answer is no server's."""

from __future__ import annotations

from typing import Any

import pytest

from dojo.api.members import required
from dojo.errors import NotADojo


@pytest.mark.parametrize("value", ["1", True, None, 1.0])
def test_a_number_that_is_none_is_no_answer(value: Any) -> None:
    with pytest.raises(NotADojo, match="no usable “id”"):
        required({"id": value}, "id", int)
    with pytest.raises(NotADojo):
        required([], "id", int)  # type: ignore[arg-type]  # the server may send anything
