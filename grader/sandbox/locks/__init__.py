"""The locks that a child puts on itself, and the kernel calls that they need. Standard library alone."""
