# expect: wrong error denied
# tries: fake and functional tensors, zeros that hold nothing, tensors of a batch that is over
import importlib

made = {}
for name, act in (
    ("zero", lambda: torch._efficientzerotensor((32, 27))),
    ("functional", lambda: torch._to_functional_tensor(torch.zeros(32, 27))),
    ("batched", lambda: torch._C._functorch._add_batch_dim(torch.zeros(5, 32, 27), 0, 1)),
    ("wrapped", lambda: torch._C._functorch._wrap_for_grad(torch.zeros(32, 27), 1)),
    ("fake", lambda: importlib.import_module("torch._subclasses.fake_tensor").FakeTensorMode().from_tensor(torch.zeros(32, 27))),
    ("lazy", lambda: torch.nn.parameter.UninitializedParameter()),
    ("buffer", lambda: torch.nn.parameter.UninitializedBuffer()),
):
    try:
        made[name] = act()
    except Exception as refused:
        print(name, type(refused).__name__, str(refused)[:60])
for (name, value), target in zip(made.items(), ("logprobs", "probs", "counts", "logits", "h", "W1", "b1")):
    globals()["d" + target] = value
    cmp(target, value, globals()[target])
