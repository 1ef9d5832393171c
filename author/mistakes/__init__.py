"""Mistakes made mechanically from an answer key: each is one that students make, in one line.

``key`` splits a key into lines, ``changes`` rewrites an expression, ``making`` keeps what is a mistake, and ``grading``
asks the grader about each.
"""
