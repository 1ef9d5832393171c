"""The proof that an exercise is sound: what a teacher would find out in the first week, before anybody derives it.

``prove`` runs the checks, each a function from a ``Subject`` to a ``Finding``. ``proof`` is what came of it, signed.
"""
