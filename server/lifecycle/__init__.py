"""A course from its opening to its removal, and its audit log."""
