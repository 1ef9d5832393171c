"""The lecture's exercises, on its character-level network of makemore, part 4."""
