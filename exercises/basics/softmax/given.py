x = param(5, 4, scale=1.0)
dprobs = data(5, 4, scale=0.02)
