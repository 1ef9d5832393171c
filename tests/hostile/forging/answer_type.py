# expect: wrong error crashed
# tries: confusion of types: Answers that are tuples, tensors, other classes; descriptors of Answer that lie
import sys

Answer = sys.modules["grader.answer"].Answer


class Double:
    tensor, notes, misfit, shape, dtype = 7, "notes", 3, {"a": 1}, object()


cmp.answers["logprobs"] = (logprobs, (), None, (32, 27), "float32")
cmp.answers["probs"] = probs
cmp.answers["counts"] = Double()
cmp.answers["logits"] = Answer(logits.to_sparse(), (), None, (-1, 2**65), "float32")
cmp.answers["h"] = Answer(h[::2], ("no such note",), None, (32, 64), "float32")
cmp.answers["W1"] = Answer(b"not a tensor", (), None, None, None)
Answer.tensor = property(lambda self: torch.zeros(32, 27).expand(10**6, 32, 27))
