"""The course server: who did what, and when."""
