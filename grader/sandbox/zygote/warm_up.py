"""Do in the zygote what torch and Python do on first use: it needs files, and a child can open none.

Everything here is imported or run for its side effect.
"""

from __future__ import annotations

import importlib
from typing import Final

import numpy
import torch
import torch.nn.functional as F

# torch or numpy import these lazily, or students do. The sandbox itself needs none of them.
_MODULES: Final = (
    "abc array bisect cmath collections.abc contextlib copy dataclasses datetime decimal difflib enum "
    "fractions functools heapq io itertools json math numbers operator os.path pathlib pickle pprint "
    "random re statistics string struct sys textwrap time timeit traceback types typing "
    "typing_extensions warnings inspect unittest cProfile pstats profile socket subprocess threading "
    "multiprocessing concurrent.futures urllib.request ctypes.util logging hashlib secrets uuid "
    "tempfile shutil glob csv zlib gzip bz2 lzma argparse numpy.random numpy.linalg numpy.fft "
    "numpy.testing torch.nn torch.nn.functional torch.nn.init torch.optim torch.linalg torch.fft "
    "torch.special torch.func torch.autograd.functional torch.autograd.gradcheck torch.distributions "
    "torch.utils.data torch.profiler torch.testing torch.utils.checkpoint torch.sparse torch.nested "
    "torch.masked torch.utils.serialization safetensors.torch "
).split()


def warm_up() -> None:
    """Import modules, and use once what is slow or impossible on first use in a child."""
    for name in _MODULES:
        importlib.import_module(name)
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    # oneDNN compiles its kernels at run time. That needs executable memory, which no child gets.
    torch._C._set_mkldnn_enabled(False)
    _show_tensors()
    _compute()
    "localhost".encode("idna")  # else a name lookup fails for a missing codec, not for the missing network


def _show_tensors() -> None:
    """Format tensors of several dtypes: each imports other modules on first use."""
    for dtype in (torch.float32, torch.float64, torch.int64, torch.bool, torch.complex64, torch.bfloat16):
        repr(torch.ones(2, 2, dtype=dtype))
    format(torch.tensor(1.0), ".3f")
    repr(numpy.ones(2))


def _compute() -> None:
    """Call one operation of each kind: each library below torch initialises on its first call."""
    with torch.no_grad():
        draw = torch.Generator().manual_seed(1)
        square = torch.randn(16, 16, generator=draw)
        for size in (1, 8, 64, 256):
            torch.randn(size, size, generator=draw) @ torch.randn(size, size, generator=draw)
        square.double() @ square.double()
        spd = square @ square.T + torch.eye(16)
        torch.linalg.inv(spd), torch.linalg.solve(spd, square), torch.linalg.cholesky(spd)
        (
            torch.linalg.svd(square),
            torch.linalg.eigh(spd),
            torch.linalg.qr(square),
            torch.linalg.lstsq(spd, square),
        )
        (
            torch.linalg.det(square),
            torch.linalg.norm(square),
            torch.linalg.pinv(square),
            torch.linalg.eig(square),
        )
        torch.fft.rfft(square), torch.sort(square), torch.topk(square, 3), torch.randperm(8), torch.rand(3)
        torch.einsum("ij,jk->ik", square, square), torch.bmm(square[None], square[None])
        torch.multinomial(square.softmax(1), 2), torch.cdist(square, square), torch.unique(square > 0)
        F.one_hot(torch.arange(3)), F.cross_entropy(square, torch.arange(16)), F.layer_norm(square, (16,))
        F.conv1d(square[None], torch.ones(4, 16, 3)), F.conv2d(square[None, None], torch.ones(1, 1, 3, 3))
        (
            F.scaled_dot_product_attention(square[None], square[None], square[None]),
            F.gelu(square),
            F.dropout(square),
        )
        F.embedding(torch.arange(3), square), F.batch_norm(square, None, None, training=True)
        numpy.linalg.inv(spd.numpy()), numpy.random.default_rng(0).normal(), numpy.random.rand(2)
        torch.from_numpy(numpy.ones(2, dtype=numpy.float32)).numpy()
    # Student code may differentiate, though it earns nothing here.
    leaf = torch.ones(4, 4, requires_grad=True)
    torch.autograd.backward((leaf @ leaf).tanh().sum())
