"""Drills: exercises of three lines whose only trap is one kind of mistake.

``templates`` holds what traps there are, ``making`` draws a drill from a template and a seed, ``proving`` shows that
the trap is caught and named, and ``writing`` writes the drills as a pack.
"""
