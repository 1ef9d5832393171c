"""The student's program, handed out by the server that it is for."""
