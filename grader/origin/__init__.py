"""Whose mistake a wrong row is: the student's backward pass, replayed with their own gradients."""
