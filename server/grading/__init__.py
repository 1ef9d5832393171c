"""Grading: a submission becomes a grade, and progress follows."""
