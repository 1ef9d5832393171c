"""The right gradients of an instance, and the way back through its steps."""
