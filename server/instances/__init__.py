"""Instances: the numbers that students derive on, and those that their code is graded on."""
