"""Reports: a class's progress, and how it gets on with each checkpoint."""
