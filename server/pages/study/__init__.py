"""A student at work: the workbench, history, a submission."""
