# expect: wrong
# tries: complex answers: with an imaginary part, lazily conjugated, lazily negated
dlogprobs = torch.complex(logprobs, logprobs)
dprobs = dlogprobs.conj()
dcounts = dlogprobs.conj().imag
dlogits = torch.view_as_real(torch.complex(logits, logits).conj().resolve_conj())
cmp("logprobs", dprobs, logprobs)
cmp("counts", dcounts, counts)
