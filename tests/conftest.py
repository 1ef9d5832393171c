"""Tests compute in the pinned numeric environment, like everything that is graded."""

from hypothesis import settings

from grader import numerics

numerics.pin()

# The first example pays for imports, and these machines are shared: a deadline would only flicker.
settings.register_profile("dojo", deadline=None)
settings.load_profile("dojo")
