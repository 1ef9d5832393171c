"""Results for the student: tables in a terminal, lines in a pipe, HTML in a notebook."""
