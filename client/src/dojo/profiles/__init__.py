"""The student's profiles: servers and courses, the tokens for them, and the connection that follows."""
