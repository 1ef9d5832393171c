"""The zygote: imports torch once, and forks a child for each run. It runs no student code."""
