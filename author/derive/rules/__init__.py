"""The rules: one for each differentiable operation, on normalised calls."""
