# expect: wrong error
# tries: answers whose __class__, __dict__, __reduce__ and __getattr__ are the harness's own types and functions
import sys

child, answer = sys.modules["grader.sandbox.child"], sys.modules["grader.answer"]


class Chameleon:
    __class__ = torch.Tensor
    __dict__ = property(lambda self: vars(child))

    def __getattr__(self, name):
        return getattr(logprobs, name)

    __torch_function__ = classmethod(lambda cls, *a, **k: logprobs)


dlogprobs, dprobs = Chameleon(), answer.Answer
dcounts, dlogits = child, type(cmp)
dh = answer.Answer(h)
cmp("h", dh, h)
cmp("logprobs", Chameleon(), Chameleon())
