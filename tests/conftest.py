"""Tests compute in the pinned numeric environment, like everything that is graded. In CI a skip is an error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

from grader import numerics
from tests.allowed_skips import ALLOWED_SKIPS, SkipGuard

if TYPE_CHECKING:
    from grader.sandbox import Sandbox

numerics.pin()

# Files that take minutes and would come last: one process would still have them when the others are done.
BEGUN_FIRST = ("test_process.py", "test_cli.py", "test_queries.py", "test_migrations.py")

# The first example pays for imports, and these machines are shared: a deadline would only flicker.
settings.register_profile("dojo", deadline=None)
settings.load_profile("dojo")
# For `make mutate`: a mutant is noticed or not; a smaller example of it is of no use.
settings.register_profile("mutation", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipGuard(ALLOWED_SKIPS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in BEGUN_FIRST)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox for who only runs code there, one in each process: a zygote imports torch for a second or more."""
    from grader.sandbox import Sandbox  # imports torch, and not before the numbers are pinned

    with Sandbox() as found:
        yield found
