"""Rules: what an assignment says, to one person at one moment."""
