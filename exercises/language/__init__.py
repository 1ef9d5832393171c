"""The language of forward passes: lines as a lecture writes them, read and evaluated without running Python.

``reader`` reads lines into steps, ``operations`` is the table of what they may call, ``expression`` is what a step
computes, and ``given`` draws the tensors that a forward pass starts from.
"""
