"""Records: grades that anyone can replay."""
