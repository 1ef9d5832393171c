"""Regrading: old submissions are graded again, and what that changed is reported."""
