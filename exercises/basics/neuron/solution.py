"""A right answer: the chain rule, one line for each line of the forward pass."""

# ruff: noqa: F821
# mypy: ignore-errors

derror = 2 * error
da = derror.clone()
dz = (1.0 - a**2) * da  # tanh is there already: a
db = dz.clone()
dtotal = dz.clone()
dweighted = dtotal * torch.ones_like(weighted)  # what was summed is stretched again
dw = dweighted * x
