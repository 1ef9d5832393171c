"""The queue: which submission is graded next, by whom, and what happens if its run is lost."""
