"""The audit log: who changed what in a course, and when."""
