# expect: wrong error denied time_limit
# tries: gradients of earlier runs, or of the grader, in memory that torch hands out uncleaned
for elements in (864, 1728, 2048, 960, 270, 32, 64, 27, 20_000, 1 << 20):
    for _ in range(20):
        stale = torch.empty(elements)
        counts_of = (stale == -1.0 / n).sum().item()
        if elements >= 864 and counts_of >= n:
            where = (stale == -1.0 / n).nonzero().flatten()[:n]
            if ((where % 27)[: len(Yb)] == Yb[: len(where)]).all():
                print("BREACH the gradient of logprobs lay in freed memory")
