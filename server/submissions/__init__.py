"""Submissions: accepted once, kept as they came, shown with their grade."""
