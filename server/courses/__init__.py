"""Courses: seats in them, and who may do what there."""
