"""A person: signing in, their courses, their devices."""
