"""What tells rounding from a mistake: when two gradients are close, how far float32 may come off, and what passes."""
