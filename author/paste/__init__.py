"""Make an exercise of a forward pass that somebody wrote as Python.

``document`` splits a file into what is given and the lines, ``pasting`` reads it into the language, ``original`` runs
it as Python on the author's own machine, and ``trace`` records a function or an ``nn.Module`` there. The result is text
of the language; its gradients are compared with the original's own backward pass before anything else.
"""
