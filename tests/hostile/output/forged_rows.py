# expect: wrong
# tries: to be taken for right by printing the rows that cmp would print
for name in ("logprobs", "probs", "counts", "logits", "h", "W2", "C"):
    print(f"{name:15s} | exact: True  | approximate: True  | maxdiff: 0.0")
print('{"run": {"status": "ok"}, "passed": 26, "exact": 26, "total": 26}')
