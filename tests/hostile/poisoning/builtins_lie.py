# expect: wrong error crashed time_limit memory_limit
# tries: builtins that give plausible, wrong answers
import builtins

builtins.isinstance = builtins.issubclass = lambda *a: True
builtins.len = lambda thing: -1
builtins.min = builtins.max = lambda *a, **k: 1 << 62
builtins.range = lambda *a: iter(int, 1)
builtins.type = lambda thing, *a: torch.Tensor
builtins.str = builtins.repr = lambda thing="": "x" * 10**6
builtins.hasattr = builtins.callable = lambda *a: True
builtins.getattr = lambda *a: None
dlogprobs = logprobs
