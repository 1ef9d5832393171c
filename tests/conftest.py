"""Tests compute in the pinned numeric environment, like everything that is graded. In CI a skip is an error."""

import os

import pytest
from hypothesis import settings

from grader import numerics
from tests.allowed_skips import ALLOWED_SKIPS, SkipGuard

numerics.pin()

# The first example pays for imports, and these machines are shared: a deadline would only flicker.
settings.register_profile("dojo", deadline=None)
settings.load_profile("dojo")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipGuard(ALLOWED_SKIPS))
