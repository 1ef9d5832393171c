# expect: wrong error crashed
# tries: tensors set upon storage that is somebody else's: another's bytes, resized, of another type, too small
foreign = logits.untyped_storage()
dlogprobs = torch.empty(0).set_(foreign, 0, (32, 27), (27, 1))
dprobs = torch.empty(0).set_(foreign, 8, (32, 26), (1, 32))
dcounts = torch.empty(0, dtype=torch.float64).set_(foreign, 0, (16, 27), (27, 1))
cmp("logprobs", dlogprobs, logprobs)
cmp("counts", dcounts, counts)
for act in (
    lambda: torch.empty(0).set_(foreign, 2**40, (32, 27), (27, 1)),
    lambda: torch.as_strided(logits, (32, 27), (-1, 1)),
    lambda: torch.as_strided(logits, (32, 27), (2**40, 1)),
    lambda: logits.data.__setattr__("data", torch.zeros(3)),
    lambda: torch._C._construct_storage_from_data_pointer(0xDEAD000, torch.device("cpu"), 4096),
):
    try:
        print(type(act()))
    except (RuntimeError, TypeError, AttributeError) as refused:
        print(str(refused)[:80])
foreign.resize_(4)
