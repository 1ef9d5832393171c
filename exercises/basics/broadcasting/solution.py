"""A right answer: stretched forwards is summed backwards, and summed forwards is stretched backwards."""

# ruff: noqa: F821
# mypy: ignore-errors

dtotal = -dy.sum(1, keepdim=True)
dscaled = dy + dtotal  # read twice: by the difference and by the sum of its row
dcolumn = (dscaled * shifted).sum(1, keepdim=True)
dshifted = dscaled * column
drow = dshifted.sum(0)
dx = dshifted.clone()
