"""Trying out a forward pass that staff pasted: read, derived and proved in a process of its own."""
