"""The backward lines of a forward pass, by rules for each operation: the answer key of an exercise."""

from author.derive.lines import BackwardLine, Term, derived

__all__ = ["BackwardLine", "Term", "derived"]
