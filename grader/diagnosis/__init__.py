"""Why a step is wrong: hypotheses about a student's mistake, tried on the recorded graph."""
