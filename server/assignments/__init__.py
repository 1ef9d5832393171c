"""Assignments: which exercises a course asks for, by when and by which rules."""
