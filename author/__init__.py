"""What authors of exercises use: paste a forward pass, derive its answer key, make mistakes in it, prove it sound.

It stands above the grader and below the server, and works without one: ``python -m author``.
"""
