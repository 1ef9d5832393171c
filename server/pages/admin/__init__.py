"""An admin: courses, people, queue and graders of the whole server."""
