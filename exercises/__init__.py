"""What is asked: exercises, their instances, and the registry of the packs that hold them."""
