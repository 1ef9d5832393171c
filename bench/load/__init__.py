"""The deadline load: a class that hands in everything within a minute and a half."""
