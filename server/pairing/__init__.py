"""Pairing: an account signs in on another machine with a one-time code."""
