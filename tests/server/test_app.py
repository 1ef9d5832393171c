"""The application, built in two steps."""

from __future__ import annotations

from server.app import build_routes


def test_routes_are_built_before_they_are_asked_for() -> None:
    included = [route for route in build_routes().routes if hasattr(route, "effective_route_contexts")]

    assert len(included) > 40
    assert all(getattr(route, "_effective_candidates") for route in included)  # noqa: B009
