# expect: ok denied
# tries: torch's backward kernels by name: no graph, and yet no derivation either
out = torch.log_softmax(logits, 1)
upstream = torch.zeros_like(out)
upstream[range(n), Yb] = -1.0 / n
dlogits = torch.ops.aten._log_softmax_backward_data(upstream, out, 1, torch.float32)
dhpreact = torch.ops.aten.tanh_backward(dlogits @ W2.T, h)
dC = torch.ops.aten.embedding_dense_backward(torch.zeros(32, 3, 10), Xb, 27, -1, False)
