"""Refusing query parameters that a route does not know.

A misspelt ``?studnet=3`` would otherwise be ignored, and the request would do more than was asked.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.dependencies.models import Dependant

from server.http.problems import Unprocessable


class UnknownParameter(Unprocessable):
    """The address has a query parameter that the route does not take."""

    title, slug = "Unknown query parameter", "unknown-parameter"


async def refuse_unknown_parameters(request: Request) -> None:
    """Do nothing if the route takes every query parameter: those that /openapi.json documents.

    :raises UnknownParameter: it does not take one of them
    """
    if not request.query_params:
        return
    known = parameter_names(request.scope["route"].dependant)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        takes = f"It takes: {', '.join(known)}." if known else "It takes none."
        raise UnknownParameter(f"This address takes no {unknown[0]!r} in its query. {takes} Leave out the others.")


def parameter_names(dependant: Dependant) -> list[str]:
    """Return the names of the query parameters of a route, those of its dependencies included."""
    below = [name for each in dependant.dependencies for name in parameter_names(each)]
    return list(dict.fromkeys([*(field.alias for field in dependant.query_params), *below]))
