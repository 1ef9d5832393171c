"""The commands of `dojo`, by what they are about."""
