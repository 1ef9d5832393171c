# expect: wrong
# tries: to make the harness's cmp take every tensor for every checkpoint
class Everything(dict):
    def get(self, key, default=None):
        return names[turn[0] % len(names)]

    def __contains__(self, key):
        turn[0] += 1
        return turn[0] % 2 == 0


turn, names = [0], sorted(cmp._checkpoints)
cmp.known = Everything()
for _ in range(60):
    turn[0] += 1
    cmp(logits, probs)
cmp._checkpoints = frozenset({*names, "../../etc/passwd", "x" * 10**6, 7})
cmp("../../etc/passwd", logits)
cmp.answers = Everything(cmp.answers)
