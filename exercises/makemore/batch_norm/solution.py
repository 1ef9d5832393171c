"""A right answer: what goes straight through, less its mean, less its projection on bnraw."""

# ruff: noqa: F821
# mypy: ignore-errors

dbnraw = bngain * dhpreact
through_mean = dbnraw.sum(0, keepdim=True)
through_variance = n / (n - 1) * bnraw * (dbnraw * bnraw).sum(0, keepdim=True)
dhprebn = bnvar_inv / n * (n * dbnraw - through_mean - through_variance)
