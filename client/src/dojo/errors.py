"""Errors of the client: each says what happened and what to do next."""

from __future__ import annotations

USAGE = 2
NOT_REACHED = 3


class DojoError(Exception):
    """An error that the student can act on.

    ``next_step`` is a sentence or a command to type, or empty. The command ends with ``exit_code``.
    """

    exit_code = USAGE

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}" if self.next_step else self.message

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback: the student's Python is not at fault."""
        return [self.message, self.next_step]


class NotJoined(DojoError):
    """No server, no course or no token is known."""


class BadFile(DojoError):
    """A file cannot be submitted, or a folder was not written by ``dojo pull``."""


class TorchMissing(DojoError):
    """The command needs tensors, and torch is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "This needs PyTorch, which is not installed here; which build of it you use is your own choice.",
            "Try: pip install torch",
        )


class ServerError(DojoError):
    """The server's answer is an error, or there is none."""


class Unreachable(ServerError):
    """The server could not be reached, or failed: a later attempt may succeed."""

    exit_code = NOT_REACHED


class NotGradedYet(Unreachable):
    """The server has the answer, and its grade did not come in time. It must not be sent again."""


class NotADojo(ServerError):
    """The answer does not have the form that the API promises."""


class Outdated(ServerError):
    """Client and server speak different versions of the API."""


class Refused(ServerError):
    """The server refused the request. ``status`` is the HTTP status, ``problem`` the type of the problem document."""

    def __init__(self, message: str, next_step: str, *, status: int, problem: str = "about:blank") -> None:
        super().__init__(message, next_step)
        self.status = status
        self.problem = problem


class Unauthorized(Refused):
    """The token is unknown, revoked or expired (401)."""


class NotFound(Refused):
    """There is no such thing, or the student may not see it (404)."""


class TooManyRequests(Refused):
    """The server asks for a pause of ``pause_seconds`` (429, or 503 with Retry-After)."""

    def __init__(self, message: str, next_step: str, *, pause_seconds: float, problem: str = "about:blank") -> None:
        super().__init__(message, next_step, status=429, problem=problem)
        self.pause_seconds = pause_seconds
