"""Training runs: the lecture's network, trained with a student's own backward pass."""
