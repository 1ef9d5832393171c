# expect: ok denied error
# tries: torch.func: grad, vjp, jacrev, and forward mode
def loss_of(z):
    return F.cross_entropy(z, Yb)


for transform in (
    lambda: torch.func.grad(loss_of)(logits),
    lambda: torch.func.vjp(loss_of, logits)[1](torch.ones(()))[0],
    lambda: torch.func.jacrev(loss_of)(logits),
    lambda: torch.autograd.functional.jacobian(loss_of, logits),
    lambda: torch.autograd.grad(loss_of(z := logits.clone().requires_grad_()), z)[0],
):
    try:
        dlogits = transform()
    except ImportError as refused:
        print(refused)
