# expect: ok denied error
# tries: a TorchScript function, whose own differentiator is in C++
script = torch.jit.CompilationUnit("""
def loss_of(z: Tensor, y: Tensor) -> Tensor:
    z.requires_grad_()
    loss = -torch.log_softmax(z, 1).gather(1, y.view(-1, 1)).mean()
    gradients = torch.autograd.grad([loss], [z])
    return torch.jit._unwrap_optional(gradients[0])
""")
dlogits = script.loss_of(logits.clone(), Yb)
