"""Staff: the class, where it hurts, the lecture, and what a course is made of."""
