"""Which instance of an exercise an assignment hands out, and on which it grades."""

from __future__ import annotations

from exercises.instance import Kind
from server.assignments.assignment import Assignment
from server.tables import AnswerKind, Numbers


def handed_out(assignment: Assignment) -> Kind:
    """Return the kind of instance that a student sees."""
    return Kind.CANONICAL if assignment.numbers is Numbers.CANONICAL else Kind.STUDENT


def graded_on(assignment: Assignment, answer: AnswerKind) -> Kind:
    """Return the kind of instance on which an answer is graded: code on hidden numbers unless it need not pass there.

    Tensors belong to the numbers that were handed out.
    """
    if answer is AnswerKind.CODE and assignment.on_hidden_numbers:
        return Kind.HIDDEN
    return handed_out(assignment)
