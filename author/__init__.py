"""What an author of exercises needs: derivations, mistakes, proofs, drills, pasted forward passes."""
