"""The trusted side: gives jobs to children, reads what they leave, and judges it."""
