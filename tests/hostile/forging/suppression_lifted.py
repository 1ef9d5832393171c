# expect: crashed error wrong
# tries: to have the harness's failures escape: contextlib.suppress suppresses nothing, or everything
import contextlib

contextlib.suppress.__exit__ = lambda self, *exception: False


class Answer:
    def __getattribute__(self, name):
        raise SystemExit(0)


class Tensor(torch.Tensor):
    @property
    def shape(self):
        raise SystemExit(0)


dlogprobs, dprobs = Answer(), logprobs.as_subclass(Tensor)
dlogits = type("Sly", (), {"__class__": property(lambda self: 1 / 0)})()
