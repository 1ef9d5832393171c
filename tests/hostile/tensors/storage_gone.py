# expect: wrong crashed error
# tries: tensors whose storage was taken away after they were made: to read them is to crash
dlogprobs = torch.zeros(32, 27)
dlogprobs.untyped_storage().resize_(0)
dprobs = torch.zeros(32, 27)
dprobs.set_(torch.UntypedStorage(0), 0, (0,), (1,))
dcounts = torch.zeros(1 << 20)
view = dcounts[-864:].view(32, 27)
dcounts.untyped_storage().resize_(64)
dlogits = view
for name, value in (("logprobs", dlogprobs), ("probs", dprobs), ("logits", view)):
    try:
        cmp(name, value, value)
    except RuntimeError as refused:
        print(refused)
