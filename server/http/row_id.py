"""The number of a row, as a path, a query or a body names it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

RowId = Annotated[int, Field(ge=1, lt=2**31)]  # what an INTEGER of PostgreSQL holds
