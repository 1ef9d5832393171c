"""HTTP: errors as problems, limits of a request, and what routes take from the application."""
