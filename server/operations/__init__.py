"""Operations: whether a server works, and the demo."""
