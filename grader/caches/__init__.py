"""What is kept in memory to be fast: a cache that is bounded by bytes, and the room of each."""
