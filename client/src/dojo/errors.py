"""What can go wrong. Every error says what happened, and ends with what to do or to type next."""

from __future__ import annotations

USAGE = 2
NOT_REACHED = 3


class DojoError(Exception):
    """``next_step`` is a sentence or a command to type; ``exit_code`` is what the command ends with."""

    exit_code = USAGE

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}" if self.next_step else self.message

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the student did nothing wrong in Python."""
        return [self.message, self.next_step]


class NotJoined(DojoError):
    """No server, no course or no token is known."""


class BadFile(DojoError):
    """The file cannot be handed in, or the folder is not one that `pull` wrote."""


class TorchMissing(DojoError):
    """A tensor is to be touched, and torch is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "This needs PyTorch, which is not installed here; which build of it you use is your own choice.",
            "Try: pip install torch",
        )


class ServerError(DojoError):
    """Anything that has to do with the server's answer."""


class Unreachable(ServerError):
    """The server could not be reached, or did not do its work: trying again later may help."""

    exit_code = NOT_REACHED


class NotADojo(ServerError):
    """Something answered, but it does not speak this language."""


class Outdated(ServerError):
    """Client and server speak different versions of the API."""


class Refused(ServerError):
    """The server understood and said no. ``status`` is the HTTP status, ``problem`` the problem's type."""

    def __init__(self, message: str, next_step: str, *, status: int, problem: str = "about:blank") -> None:
        super().__init__(message, next_step)
        self.status = status
        self.problem = problem


class Unauthorized(Refused):
    """The token is unknown, revoked or expired (401)."""


class NotFound(Refused):
    """There is no such thing, or it is not yours to see (404)."""


class TooManyRequests(Refused):
    """Slow down (429). ``after`` is the number of seconds to wait."""

    def __init__(self, message: str, next_step: str, *, after: float, problem: str = "about:blank") -> None:
        super().__init__(message, next_step, status=429, problem=problem)
        self.after = after
