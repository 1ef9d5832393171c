"""People: who is in a course, how they came in, and what its staff do about it."""
