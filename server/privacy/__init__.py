"""Privacy: everything about a person in one archive, an account erased, and old files emptied."""
