"""Several server processes on one port: who supervises them, what they share, and how they wake each other."""
