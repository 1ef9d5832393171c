"""``tests.support.postgres`` by its old name, until every import has the new one."""

from tests.support.postgres import *  # noqa: F403
