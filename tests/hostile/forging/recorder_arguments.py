# expect: wrong
# tries: the recorder's way of telling a name, a gradient and a tensor apart: every order, none, too many, not hashable
right = torch.zeros_like(logit_maxes)
for arguments in (
    (), ("logits",), (logits,), ("logits", "logits"), ("probs", logits, logits), (logits, probs), (None, None),
    ("dlogits", None, logits), (b"logits", right, logits), ("LOGITS", right), (" logit_maxes\n", right),
    ("ddlogits", right), ([], {}, set()), (float("nan"), right, logit_maxes), (*["logits"] * 1000, right),
):
    cmp(*arguments)
cmp(tensor=logits, name="logits", gradient=probs)
cmp(**{f"a{i}": logits for i in range(100)}, **{"logits": right, "probs": "h"})
cmp("logprobs", *[logprobs] * 100_000)
for odd in ("\udc80", "\0", "d" * 10**6, "logits\u200b", "ⅼogits"):
    cmp(odd, right, object())
