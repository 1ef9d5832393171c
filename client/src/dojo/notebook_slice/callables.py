"""Functions and methods by what they do to memory: those that change it, and those whose result shares it."""

from __future__ import annotations

import re

# Methods that change their object, besides torch's, which end in an underscore: of containers, and of arrays too.
CONTAINER_METHODS = frozenset(
    "append appendleft extend insert update add setdefault pop popleft popitem remove discard clear sort reverse put "
    "__setitem__ __setattr__ __delitem__ __iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __ipow__ __imod__ "
    "__iand__ __ior__ __ixor__ __imatmul__ __init__ resize itemset setflags fill partition".split()
)
TENSOR_CHANGING_METHODS = frozenset(
    name
    for name in CONTAINER_METHODS
    if name.startswith("__") or name in "sort put resize itemset fill partition".split()
)
UNCHANGING_METHODS = frozenset({"requires_grad_"})
# Methods whose result shares its memory with their object: a change of the one changes the other.
VIEW_METHODS = frozenset(
    "detach expand expand_as flatten unflatten movedim moveaxis narrow numpy permute ravel reshape reshape_as select "
    "squeeze swapaxes swapdims t transpose unsqueeze view view_as unbind unfold diagonal diag chunk split "
    "tensor_split hsplit vsplit dsplit contiguous to float double half type type_as cpu cuda as_strided broadcast_to "
    "index_put_ requires_grad_ adjoint alias resolve_conj resolve_neg data_ptr items values keys get copy "
    "__getitem__ __iter__ __next__ __enter__ __getattr__ __getattribute__ send".split()
)
VIEW_FUNCTIONS = frozenset(
    "as_tensor asarray from_numpy from_dlpack atleast_1d atleast_2d atleast_3d broadcast_tensors broadcast_arrays "
    "partial Parameter chain islice cycle repeat tee starmap accumulate product zip_longest copy itemgetter attrgetter "
    "methodcaller namedtuple SimpleNamespace deque defaultdict OrderedDict ChainMap rearrange vmap compile "
    "no_grad inference_mode reduce wraps lru_cache cache".split()
)
# Python's own functions whose result holds, or is, one of their arguments.
BUILTIN_VIEWS = frozenset(
    "zip enumerate iter next list tuple reversed sorted map filter dict set frozenset getattr vars min max slice "
    "memoryview".split()
)
# Methods whose result is new. A method that is in no list may give a view, and may change its object.
FRESH_METHODS = frozenset(
    "sum mean std var prod norm clone exp log log2 log1p expm1 sqrt rsqrt pow abs neg sign sin cos tanh sigmoid relu "
    "max min amax amin argmax argmin argsort sort topk any all item tolist size dim numel nelement element_size stride "
    "matmul mm bmm mv dot outer mul add sub div true_divide softmax log_softmax logsumexp eq ne lt gt le ge where "
    "masked_fill scatter scatter_add index_add index_select index_copy index_fill gather cumsum cumprod clamp clip "
    "repeat repeat_interleave tile roll flip new_zeros new_ones new_full new_empty new_tensor long int bool byte short "
    "bfloat16 unique nonzero backward retain_grad reciprocal square floor ceil round isnan isinf isfinite allclose "
    "equal type_name format join strip split_text ljust rjust lower upper startswith endswith replace count index "
    "manual_seed seed parameters named_parameters zero_grad step train eval __len__ __repr__ __str__ __mul__ __add__ "
    "__sub__ __neg__ __pow__ __truediv__ __matmul__ get_device is_contiguous astype put_nowait print".split()
)
UNSHARED_ATTRIBUTES = frozenset("shape dtype device ndim requires_grad is_leaf itemsize nbytes layout".split())
# Modules that code may import where it is graded. What another library does to a tensor is nobody's answer.
GRADER_MODULES = frozenset(
    "torch numpy math cmath random operator functools itertools collections copy heapq bisect statistics typing "
    "dataclasses contextlib warnings time string re enum abc types fractions decimal numbers os sys json "
    "__future__ pprint textwrap inspect logging gc builtins".split()
)
# Libraries and functions that show or keep what they get, and change nothing of it.
SHOWING_MODULES = frozenset(
    "matplotlib seaborn plotly bokeh altair graphviz torchviz IPython wandb tensorboard tensorboardX mlflow comet_ml "
    "neptune pandas polars rich tabulate sklearn scipy PIL cv2 imageio logging torchinfo torchsummary ipywidgets "
    "warnings pprint json pickle joblib safetensors os sys time loguru pytest dojo gradio streamlit grader".split()
)
SHOWING_NAME = re.compile(
    r"_*(plot|show|print|log|draw|save|check|compare|assert|test|cmp|verify|hist|heat|vis|view|inspect|describe|summar|"
    r"report|dump|display|debug|info|write|pretty|render|track|record|seed|manual_seed|set_)",
    re.IGNORECASE,
)
_WRITERS = frozenset(
    "numpy.copyto numpy.put numpy.place numpy.putmask numpy.put_along_axis numpy.fill_diagonal numpy.random.shuffle "
    "random.shuffle heapq.heappush heapq.heapify heapq.heappop bisect.insort operator.setitem operator.delitem "
    "operator.iadd operator.isub operator.imul operator.itruediv operator.ipow operator.iand operator.ior "
    "operator.ixor operator.iconcat operator.ifloordiv operator.imatmul".split()
)


def is_in_place(method: str) -> bool:
    """Return whether a method changes its object by torch's convention: ``add_``, and ``__iadd__`` is not one."""
    return method.endswith("_") and not method.endswith("__") and method not in UNCHANGING_METHODS


def first_argument_written(dotted: str) -> bool:
    """Return whether a library's function changes its first argument: ``numpy.add.at``, ``torch.nn.init.zeros_``."""
    return dotted in _WRITERS or is_in_place(dotted) or (dotted.startswith("numpy.") and dotted.endswith(".at"))
