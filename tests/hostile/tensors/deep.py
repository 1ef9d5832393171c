# expect: wrong error crashed
# tries: a Parameter of a Parameter of a …, dictionaries, lists and modules, ten thousand deep, as one answer
class Deep(torch.Tensor):
    pass


value = torch.zeros(32, 27)
for _ in range(10_000):
    value = torch.nn.Parameter(value.as_subclass(Deep), requires_grad=False)
dlogprobs = value
dprobs = []
for _ in range(10_000):
    dprobs = [dprobs]
dcounts = {"d": dprobs}
dlogits = torch.nn.Linear(3, 3)
for _ in range(50):
    value = value.expand(1, *value.shape) if value.dim() < 60 else value
dh = value
cmp("h", value, h)
