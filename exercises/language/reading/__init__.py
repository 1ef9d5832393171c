"""The closed interpreter behind ``exercises.language.reader``: it walks statements and never runs Python.

``statements`` and ``expressions`` walk the tree; ``calls`` decides what a call means, ``library`` and ``python`` hold
the functions that are no operation, ``tensors`` the methods, ``writes`` what changes a tensor in place, ``layers`` the
modules of ``torch.nn`` as text of the language. ``session`` holds what is read so far, ``values`` what a name can be.
"""
