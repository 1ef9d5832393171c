"""Benchmarks: how fast it grades on this machine, as ratios of one run."""
