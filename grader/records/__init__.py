"""Records of grades: everything that made a grade, signed, so that anyone can make it again."""
