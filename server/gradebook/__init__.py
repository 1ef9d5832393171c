"""The gradebook: what everybody in a course has earned, for people and for learning management systems."""
