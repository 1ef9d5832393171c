"""The commands of ``dojo``, by subject, and what they share."""
