"""The fixtures of staff's pages."""

from tests.pages.staff_fixtures import client, office

__all__ = ["client", "office"]
