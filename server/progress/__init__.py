"""Progress: the best of each student at each checkpoint, up to date with every grade."""
