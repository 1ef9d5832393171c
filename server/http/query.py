"""Refusing query parameters that a route does not know, and values that no database keeps.

A misspelt ``?studnet=3`` would otherwise be ignored, and the request would do more than was asked. PostgreSQL takes no
NUL, so a value with one names nothing.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.dependencies.models import Dependant

from server.http.problems import Unprocessable


class UnknownParameter(Unprocessable):
    """The address has a query parameter that the route does not take."""

    title, slug = "Unknown query parameter", "unknown-parameter"


class NulInAddress(Unprocessable):
    """A part of the address, or a value in its query, holds the character NUL."""

    title, slug = "NUL in the address", "nul-in-address"


async def refuse_unknown_parameters(request: Request) -> None:
    """Do nothing if the route takes every query parameter: those that /openapi.json documents.

    :raises UnknownParameter: it does not take one of them
    :raises NulInAddress: a value holds NUL
    """
    if any("\0" in value for value in (*request.path_params.values(), *request.query_params.values())):
        raise NulInAddress("The address holds the character NUL (%00), which no name has. Leave it out.")
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
