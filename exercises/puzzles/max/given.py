x = param(distinct(5, 5, scale=2.0))
hidden = causal(5)
dy = data(5, scale=0.02)
