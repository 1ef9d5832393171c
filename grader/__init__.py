"""How an answer is judged: comparison, origin and kind of each mistake, grade."""
