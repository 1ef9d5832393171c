"""Rules of products of matrices, linear layers, convolutions and einsum."""

from __future__ import annotations

from collections.abc import Iterator

from author.derive.code import Binding, Code, Shape, call, div, literal, matmul, method, mul, neg, turned
from author.derive.nodes import Node
from author.derive.rules.arithmetic import needing
from author.derive.rules.shapes import shape_text
from author.derive.rules.table import NoRule, rule
from author.derive.site import Flow, Site, fitted, stretched


def rows(code: Code) -> Code:
    """Return vectors in one matrix, one a row, whatever dimensions there were before."""
    if len(code.shape) == 2:
        return code
    count = 1
    for size in code.shape[:-1]:
        count *= size
    return method(code, ".flatten(0, -2)" if len(code.shape) > 2 else "[None]", (count, code.shape[-1]))


@rule("matmul")
def _matmul(site: Site) -> Iterator[Flow]:
    left, right = site.argument("input"), site.argument("other")
    gradient = _shared_gradient(site, left, right)
    for each in needing(left):
        yield Flow(each, _left(gradient, site.value(left), site.value(right)))
    for each in needing(right):
        yield Flow(each, _right(gradient, site.value(left), site.value(right)))


def _shared_gradient(site: Site, *operands: Node) -> Code:
    site.gradient = site.full()
    if sum(isinstance(each, Node) and each.needs_gradient for each in operands) > 1:
        return site.named_gradient()
    return site.gradient


def _left(gradient: Code, left: Code, right: Code) -> Code:
    match len(left.shape), len(right.shape):
        case 1, 1:
            return mul(gradient, right)
        case 1, 2:
            return _vector(right, gradient)
        case 1, rank:
            product = mul(method(gradient, ".unsqueeze(-2)", (*gradient.shape[:-1], 1, gradient.shape[-1])), right)
            dims = [*range(rank - 2), rank - 1]
            return method(product, f".sum(({literal(dims)}))", left.shape)
        case rank, 1:
            column = method(gradient, ".unsqueeze(-1)", (*gradient.shape, 1))
            return mul(column, right)
    return fitted(matmul(gradient, turned(right)), _broadcast_of(gradient, left, right), left.shape)


def _right(gradient: Code, left: Code, right: Code) -> Code:
    match len(left.shape), len(right.shape):
        case 1, 1:
            return mul(gradient, left)
        case 2, 1:
            return _vector(turned(left), gradient)
        case _, 1:
            product = mul(left, method(gradient, ".unsqueeze(-1)", (*gradient.shape, 1)))
            return method(product, f".sum(({literal(range(len(left.shape) - 1))}))", right.shape)
        case 1, _:
            column = method(left, ".unsqueeze(-1)", (*left.shape, 1))
            row = method(gradient, ".unsqueeze(-2)", (*gradient.shape[:-1], 1, gradient.shape[-1]))
            return mul(column, row)
        case rank, 2 if rank > 2:
            return matmul(turned(rows(left)), rows(gradient))
    full: Shape = (*gradient.shape[:-2], *right.shape[-2:])
    return fitted(matmul(turned(left), gradient), full, right.shape)


def _broadcast_of(gradient: Code, left: Code, right: Code) -> Shape:
    return (*gradient.shape[:-2], *left.shape[-2:])


def _vector(matrix: Code, vector: Code) -> Code:
    text = f"{matrix.within(mul(vector, vector).binding)} @ {vector.atom}"
    return Code(text, matrix.shape[:-1], mul(vector, vector).binding)


@rule("outer")
def _outer(site: Site) -> Iterator[Flow]:
    first, second = (site.node.argument(name) for name in site.node.call.definition.parameters[:2])
    gradient = _shared_gradient(site, first, second)
    for each in needing(first):
        yield Flow(each, _vector(gradient, site.value(second)))
    for each in needing(second):
        yield Flow(each, _vector(method(gradient, ".T", gradient.shape[::-1]), site.value(first)))


@rule("addmm", "baddbmm")
def _addmm(site: Site) -> Iterator[Flow]:
    names = site.node.call.definition.parameters
    bias, left, right = (site.node.argument(name) for name in names[:3])
    alpha, beta = site.plain("alpha", 1), site.plain("beta", 1)
    gradient = _shared_gradient(site, bias, left, right)
    for each in needing(bias):
        yield site.fit(each, gradient if beta == 1 else mul(site.value(beta), gradient))
    scaled = gradient if alpha == 1 else mul(site.value(alpha), gradient)
    for each in needing(left):
        yield Flow(each, _left(scaled, site.value(left), site.value(right)))
    for each in needing(right):
        yield Flow(each, _right(scaled, site.value(left), site.value(right)))


@rule("linear")
def _linear(site: Site) -> Iterator[Flow]:
    input, weight, bias = site.argument("input"), site.argument("weight"), site.argument("bias")
    gradient = _shared_gradient(site, input, weight, bias)
    for each in needing(input):
        yield Flow(each, matmul(gradient, site.value(weight)) if len(gradient.shape) > 1 else _vector(
            turned(site.value(weight)), gradient))  # fmt: skip
    for each in needing(weight):
        yield Flow(each, matmul(turned(rows(gradient)), rows(site.value(input))))
    for each in needing(bias):
        yield Flow(each, fitted(gradient, site.node.shape, each.shape))


@rule("einsum")
def _einsum(site: Site) -> Iterator[Flow]:
    """Turn the equation around: the gradient takes the place of the operand that is asked for."""
    equation = str(site.argument("equation")).replace(" ", "")
    operands = site.argument("operands")
    if len(operands) == 1 and isinstance(operands[0], tuple):
        operands = operands[0]
    inputs, arrow, output = equation.partition("->")
    letters = inputs.split(",")
    if not arrow:
        joined = "".join(letters)
        output = "".join(sorted(each for each in set(joined) - {"."} if joined.count(each) == 1))
        output = ("..." if "..." in inputs else "") + output
    gradient = _shared_gradient(site, *operands)
    for place, operand in enumerate(operands):
        for each in needing(operand):
            yield Flow(each, _einsum_of(site, gradient, letters, output, operands, place))


def _einsum_of(
    site: Site, gradient: Code, letters: list[str], output: str, operands: tuple[Node, ...], place: int
) -> Code:
    mine, shape = letters[place], operands[place].shape
    if len(set(mine.replace("...", ""))) != len(mine.replace("...", "")):
        raise NoRule("einsum with one letter twice in an operand")
    others = [i for i in range(len(letters)) if i != place]
    available = set(output).union(*(letters[i] for i in others))
    target = "".join(each for each in mine if each in available)
    values = [gradient, *(site.value(operands[i]) for i in others)]
    equation = ",".join([output, *(letters[i] for i in others)]) + "->" + target
    sizes = _sizes(mine, shape)
    small = tuple(size for letter, size in sizes if letter in available or letter == ".")
    code = call("torch.einsum", f"'{equation}'", *values, shape=small)
    if target == mine:
        if "..." in mine and len(mine.replace("...", "")) + gradient_rank(output, gradient) != len(shape):
            raise NoRule("einsum with ... of other numbers of dimensions")
        return code
    lost = "".join(f"{':' if letter in available else 'None'}, " for letter, _ in sizes).removesuffix(", ")
    return method(method(code, f"[{lost}]", shape), f".expand({literal(shape)})", shape)


def gradient_rank(output: str, gradient: Code) -> int:
    """Return how many dimensions the dots stand for."""
    return len(gradient.shape) - len(output.replace("...", ""))


def _sizes(letters: str, shape: Shape) -> list[tuple[str, int]]:
    dots = len(shape) - len(letters.replace("...", ""))
    spread: list[str] = []
    for part in letters.replace("...", "."):
        spread += ["."] * dots if part == "." else [part]
    return list(zip(spread, shape, strict=True))


@rule("bilinear")
def _bilinear(site: Site) -> Iterator[Flow]:
    first, second, weight, bias = (site.argument(name) for name in ("input1", "input2", "weight", "bias"))
    gradient = _shared_gradient(site, first, second, weight, bias)
    one, two, through = site.value(first), site.value(second), site.value(weight)
    for each in needing(first):
        yield Flow(each, call("torch.einsum", "'...o,oij,...j->...i'", gradient, through, two, shape=each.shape))
    for each in needing(second):
        yield Flow(each, call("torch.einsum", "'...o,oij,...i->...j'", gradient, through, one, shape=each.shape))
    for each in needing(weight):
        yield Flow(each, call("torch.einsum", "'...o,...i,...j->oij'", gradient, one, two, shape=each.shape))
    for each in needing(bias):
        yield Flow(each, fitted(gradient, site.node.shape, each.shape))


def as_tuple(value: int | tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return one number for each dimension."""
    return (value,) * count if isinstance(value, int) else tuple(value) * (count if len(value) == 1 else 1)


@rule("conv1d", "conv2d", "conv3d")
def _conv(site: Site) -> Iterator[Flow]:
    input, weight, bias = site.argument("input"), site.argument("weight"), site.argument("bias")
    count = int(site.node.operation[4])
    stride, padding, dilation = (as_tuple(site.plain(name, default), count) if not isinstance(
        site.plain(name, default), str) else site.plain(name, default)
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1)))  # fmt: skip
    groups = site.plain("groups", 1)
    if isinstance(padding, str):
        padding = _named_padding(padding, weight.shape[2:], dilation)
    gradient = _shared_gradient(site, input, weight, bias)
    for each in needing(input):
        left = tuple(
            each.shape[2 + i]
            - ((site.node.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (weight.shape[2 + i] - 1) + 1)
            for i in range(count)
        )
        options = _options(stride=stride, padding=padding, output_padding=left, groups=groups, dilation=dilation)
        yield Flow(each, call(f"F.conv_transpose{count}d", gradient, site.value(weight), **options, shape=each.shape))
    for each in needing(weight):
        if groups == 1 and set(dilation) == {1} and count < 3:
            yield Flow(each, _kernel_gradient(site, gradient, each, stride, padding))
        else:
            options = _options(stride=stride, padding=padding, dilation=dilation, groups=groups)
            name = f"torch.nn.grad.conv{count}d_weight"
            value = call(name, site.value(input), shape_text_of(each), gradient, shape=each.shape, **options)
            yield Flow(each, value)
    for each in needing(bias):
        dims = [0, *range(2, 2 + count)]
        yield Flow(each, method(gradient, f".sum(({literal(dims)}))", each.shape))


def shape_text_of(node: Node) -> str:
    """Return a shape as one argument."""
    return f"{node.name}.shape" if node.name else f"({literal(node.shape)})"


def _named_padding(name: str, kernel: Shape, dilation: tuple[int, ...]) -> tuple[int, ...]:
    if name == "valid":
        return (0,) * len(kernel)
    if any(step * (size - 1) % 2 for size, step in zip(kernel, dilation, strict=True)):
        raise NoRule("padding='same' with an even kernel")
    return tuple(step * (size - 1) // 2 for size, step in zip(kernel, dilation, strict=True))


def _options(**values: int | tuple[int, ...]) -> dict[str, str]:
    """Return the options that are not at their default, a tuple of equal numbers as one number."""
    defaults = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1}
    shown = {}
    for name, value in values.items():
        single = value if isinstance(value, int) else (value[0] if len(set(value)) == 1 else None)
        if single != defaults[name]:
            shown[name] = str(value if single is None else single)
    return shown


def _kernel_gradient(
    site: Site, gradient: Code, weight: Node, stride: tuple[int, ...], padding: tuple[int, ...]
) -> Code:
    """Return the gradient of a kernel: each of its entries meets the entries of the input that it slid over."""
    source = site.value(site.argument("input"))
    text = source.atom
    if any(padding):
        pads = [each for size in reversed(padding) for each in (size, size)]
        text = f"F.pad({source}, ({literal(pads)}))"
    for i, step in enumerate(stride):
        text += f".unfold({2 + i}, {weight.shape[2 + i]}, {step})"
    name = site.temporaries.fresh(f"{site.line}_windows")
    outs = site.node.shape[2:]
    crop = "".join(f", :{size}" for size in outs) if _has_rest(site, weight, stride, padding) else ""
    site.temporaries.set(name, text + (f"[:, :{crop}]" if crop else ""))
    places, kernel = ("l", "k") if len(stride) == 1 else ("hw", "kl")
    equation = f"'no{places},ni{places}{kernel}->oi{kernel}'"
    return call("torch.einsum", equation, gradient, name, shape=weight.shape)


def _has_rest(site: Site, weight: Node, stride: tuple[int, ...], padding: tuple[int, ...]) -> bool:
    source = site.argument("input")
    return any(
        (source.shape[2 + i] + 2 * padding[i] - weight.shape[2 + i]) // step + 1 != site.node.shape[2 + i]
        for i, step in enumerate(stride)
    )


@rule("conv_transpose1d", "conv_transpose2d")
def _conv_transpose(site: Site) -> Iterator[Flow]:
    input, weight, bias = site.argument("input"), site.argument("weight"), site.argument("bias")
    count = int(site.node.operation[-2])
    stride, padding, dilation = (
        as_tuple(site.plain(name, default), count) for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    groups = site.plain("groups", 1)
    gradient = _shared_gradient(site, input, weight, bias)
    options = _options(stride=stride, padding=padding, dilation=dilation, groups=groups)
    for each in needing(input):
        yield Flow(each, call(f"F.conv{count}d", gradient, site.value(weight), **options, shape=each.shape))
    for each in needing(weight):
        name = f"torch.nn.grad.conv{count}d_weight"
        yield Flow(
            each,
            call(name, gradient, shape_text_of(each), site.value(input), **options, shape=each.shape),
        )
    for each in needing(bias):
        yield Flow(each, method(gradient, f".sum(({literal([0, *range(2, 2 + count)])}))", each.shape))


@rule("avg_pool1d", "avg_pool2d")
def _avg_pool(site: Site) -> Iterator[Flow]:
    count = int(site.node.operation[-2])
    size = as_tuple(site.argument("kernel_size"), count)
    given = site.argument("stride")
    stride = size if given in (None, ()) else as_tuple(given, count)
    if site.plain("padding", 0) not in (0, (0,) * count):
        raise NoRule(f"{site.node.operation} with padding")
    for each in needing(site.argument("input")):
        if size != stride or any(each.shape[-count + i] % size[i] for i in range(count)):
            raise NoRule(f"{site.node.operation} with windows that overlap or leave a rest")
        code = site.full()
        shape = list(each.shape)
        text = "".join(f".repeat_interleave({step}, {-count + i})" for i, step in enumerate(size))
        total = 1
        for step in size:
            total *= step
        yield Flow(each, div(method(code, text, shape), site.numbers.code(total)))


@rule("max_pool1d", "max_pool2d")
def _max_pool(site: Site) -> Iterator[Flow]:
    count = int(site.node.operation[-2])
    size = as_tuple(site.argument("kernel_size"), count)
    given = site.argument("stride")
    stride = size if given in (None, ()) else as_tuple(given, count)
    for each in needing(site.argument("input")):
        options = _options(stride=stride, padding=as_tuple(site.plain("padding", 0), count))
        shown = "".join(f", {name}={value}" for name, value in options.items()) if stride != size else ""
        name = site.temporaries.fresh(f"{site.line}_places")
        kernel = size[0] if len(set(size)) == 1 else size
        site.temporaries.set(name, f"F.max_pool{count}d({site.value(each)}, {kernel}{shown}, return_indices=True)[1]")
        zeros = f"torch.zeros_like({site.value(each)}).flatten(-{count})"
        flat = f".flatten(-{count})" if count > 1 else ""
        scattered = f".scatter_add(-1, {name}{flat}, {site.full().atom}{flat})"
        yield Flow(each, Code(f"{zeros}{scattered}.reshape({shape_text(each)})", each.shape))


@rule("adaptive_avg_pool1d", "adaptive_avg_pool2d")
def _adaptive(site: Site) -> Iterator[Flow]:
    count = int(site.node.operation[-2])
    target = as_tuple(site.argument("output_size"), count)
    if set(target) != {1}:
        raise NoRule(f"{site.node.operation} to another size than 1")
    for each in needing(site.argument("input")):
        total = 1
        for entries in each.shape[-count:]:
            total *= entries
        yield Flow(each, div(site.full(), site.numbers.code(total)))


@rule("inner")
def _inner(site: Site) -> Iterator[Flow]:
    left, right = site.argument("input"), site.argument("other")
    gradient = _shared_gradient(site, left, right)
    ranks = (len(left.shape), len(right.shape))
    if ranks not in ((1, 1), (2, 2)):
        raise NoRule("inner of more than two dimensions")
    for each, other in ((left, right), (right, left)):
        for needed in needing(each):
            if ranks == (1, 1):
                yield Flow(needed, mul(gradient, site.value(other)))
            else:
                incoming = gradient if needed is left else turned(gradient)
                yield Flow(needed, matmul(incoming, site.value(other)))


@rule("cross")
def _cross(site: Site) -> Iterator[Flow]:
    left, right, dim = site.argument("input"), site.argument("other"), site.argument("dim")
    gradient = _shared_gradient(site, left, right)
    one, two = site.value(left), site.value(right)
    for each in needing(left):
        yield site.fit(each, call("torch.cross", *_alike(site, two, gradient), shape=site.node.shape, dim=dim))
    for each in needing(right):
        yield site.fit(each, call("torch.cross", *_alike(site, gradient, one), shape=site.node.shape, dim=dim))


def _alike(site: Site, *operands: Code) -> list[Code]:
    return [stretched(each, site.node.shape) for each in operands]


@rule("cdist")
def _cdist(site: Site) -> Iterator[Flow]:
    if site.plain("p", 2.0) != 2:
        raise NoRule("cdist with another p than 2")
    left, right = site.argument("x1"), site.argument("x2")
    share = site.temporaries.fresh(f"{site.line}_share")
    site.temporaries.set(share, div(site.full(), site.output).text)
    one, two = site.value(left, often=True), site.value(right, often=True)
    for each in needing(left):
        code = f"{share}.sum(-1, keepdim=True) * {one.within(Binding.MINUS)} - {share} @ {two.within(Binding.MINUS)}"
        yield Flow(each, Code(code, each.shape, Binding.SUM))
    back = f"{share}.transpose(-2, -1)"
    for each in needing(right):
        code = f"{back}.sum(-1, keepdim=True) * {two.within(Binding.MINUS)} - {back} @ {one.within(Binding.MINUS)}"
        yield Flow(each, Code(code, each.shape, Binding.SUM))


@rule("kron")
def _kron(site: Site) -> Iterator[Flow]:
    left, right = site.argument("input"), site.argument("other")
    if len(left.shape) != 2 or len(right.shape) != 2:
        raise NoRule("kron of other than two matrices")
    sizes = (left.shape[0], right.shape[0], left.shape[1], right.shape[1])
    blocks = method(_shared_gradient(site, left, right), f".reshape({literal(sizes)})", sizes)
    for each in needing(left):
        yield Flow(each, call("torch.einsum", "'ipjq,pq->ij'", blocks, site.value(right), shape=each.shape))
    for each in needing(right):
        yield Flow(each, call("torch.einsum", "'ipjq,ij->pq'", blocks, site.value(left), shape=each.shape))


@rule("tensordot")
def _tensordot(site: Site) -> Iterator[Flow]:
    """Write it as einsum: each dimension has a letter, and those that are summed share one."""
    left, right, dims = site.argument("a"), site.argument("b"), site.plain("dims", 2)
    ranks = len(left.shape), len(right.shape)
    if isinstance(dims, int):
        dims = (tuple(range(ranks[0] - dims, ranks[0])), tuple(range(dims)))
    pairs = [[dim % rank for dim in each] for each, rank in zip(dims, ranks, strict=True)]
    letters = "abcdefghijklmnop"
    first = list(letters[: ranks[0]])
    second = list(letters[ranks[0] : sum(ranks)])
    for one, two in zip(*pairs, strict=True):
        second[two] = first[one]
    output = [each for each in first if each not in second] + [each for each in second if each not in first]
    gradient = _shared_gradient(site, left, right)
    for each, other, own, rest in ((left, right, first, second), (right, left, second, first)):
        for needed in needing(each):
            equation = f"'{''.join(output)},{''.join(rest)}->{''.join(own)}'"
            yield Flow(needed, call("torch.einsum", equation, gradient, site.value(other), shape=needed.shape))


@rule("solve")
def _solve(site: Site) -> Iterator[Flow]:
    matrix, right = site.argument("A"), site.argument("B")
    if len(right.shape) < 2 or len(right.shape) != len(matrix.shape):
        raise NoRule("solve with a vector")
    back = call("torch.linalg.solve", turned(site.value(matrix)), site.full(), shape=right.shape)
    name = site.temporaries.fresh(f"{site.line}_back")
    site.temporaries.set(name, back.text)
    for each in needing(right):
        yield Flow(each, Code(name, each.shape))
    for each in needing(matrix):
        product = matmul(Code(name, right.shape), turned(site.value(site.node, often=True)))
        yield Flow(each, neg(product))


@rule("cholesky")
def _cholesky(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        lower, rank = site.value(site.node, often=True), len(each.shape)
        if rank != 2:
            raise NoRule("cholesky of several matrices")
        half, inverse, back = (site.temporaries.fresh(f"{site.line}_{name}") for name in ("half", "inv", "back"))
        product = matmul(turned(lower), site.full()).text
        site.temporaries.set(half, f"({product}).tril() - 0.5 * ({product}).diag().diag()")
        site.temporaries.set(inverse, f"{lower.atom}.inverse()")
        site.temporaries.set(back, f"{inverse}.T @ {half} @ {inverse}")
        yield Flow(each, Code(f"0.5 * ({back} + {back}.T)", each.shape, Binding.PRODUCT))
