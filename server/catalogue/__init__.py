"""The catalogue: the exercises of a course, and one's own instances."""
