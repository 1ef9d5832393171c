"""What is refused by the rules of an assignment. Each message says when, or what to do instead."""

from __future__ import annotations

from server.http.problems import Forbidden, UnsupportedMedia


class NotOpenYet(Forbidden):
    """The assignment opens later. Until then students see nothing of its exercise."""

    title, slug = "Not open yet", "not-open-yet"


class Closed(Forbidden):
    """The due time is over, with the person's extensions and the grace."""

    title, slug = "Closed", "closed"


class NoAttemptsLeft(Forbidden):
    """The account has handed in as often as the assignment allows."""

    title, slug = "No attempts left", "no-attempts-left"


class KindNotAccepted(UnsupportedMedia):
    """The assignment takes code alone, or tensors alone."""

    title, slug = "Kind of answer not accepted", "kind-not-accepted"


class ChecksClosed(Forbidden):
    """The assignment has no live checks."""

    title, slug = "Live checks closed", "checks-closed"


class FeedbackWithheld(Forbidden):
    """Feedback is not shown yet."""

    title, slug = "Feedback not shown yet", "feedback-withheld"
