"""What a student's code finds in the sandbox, and what the student reads afterwards."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import torch

from grader.answer import CHANGED_AFTER_CMP
from grader.sandbox import Limits, Run, RunStatus, Sandbox
from tests.grader.sandbox.conftest import LIMITS, STATE, Runner, job


def holds(got: Run, name: str, expected: torch.Tensor) -> bool:
    tensor = got.answers[name].tensor
    return tensor is not None and torch.equal(tensor, expected)


def test_answers_are_the_variables_or_what_cmp_was_given_last(run: Runner) -> None:
    got = run("dx = x * 2\ndw = w + 1\ncmp('w', w * 5, w)\ncmp('w', w * 3, w)")
    assert got.status is RunStatus.OK and got.message == "" and got.flags == ()
    assert holds(got, "x", STATE["x"] * 2)
    assert holds(got, "w", STATE["w"] * 3)
    assert got.answers["w"].notes == (CHANGED_AFTER_CMP,)
    assert got.answers["y"].tensor is None and "dy was never assigned" in str(got.answers["y"].misfit)


def test_cmp_takes_a_copy_at_that_moment(run: Runner) -> None:
    got = run("dx = x.clone()\ncmp('x', dx, x)\ndw = w.clone()\ncmp('w', dw, w)\ndx += 1")
    assert holds(got, "x", STATE["x"])
    assert got.answers["x"].notes == (CHANGED_AFTER_CMP,)
    assert got.answers["w"].notes == ()


@pytest.mark.parametrize(
    "theirs",
    [
        "def cmp(s, dt, t):\n    print((dt - t.grad).abs().max())",
        "def check(s, dt, t):\n    ex = torch.all(dt == t.grad).item()\n    print(s, ex)\ncmp = check",
        "cmp = lambda s, dt, t: print(torch.allclose(dt, t.grad))",
        "def look(t, dt):\n    return (t.grad - dt).abs()\ndef cmp(s, dt, t): look(t, dt)",
    ],
)
def test_a_cmp_of_their_own_becomes_ours(run: Runner, theirs: str) -> None:
    got = run(f"{theirs}\ncmp('x', x * 2, x)")
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_function_style(run: Runner) -> None:
    got = run("def backward(state):\n    return {'dx': state['x'] * state['n'], 'w': state['w'] + 1}")
    assert got.status is RunStatus.OK
    assert holds(got, "x", STATE["x"] * 4)
    assert holds(got, "w", STATE["w"] + 1)


def test_a_helper_named_backward_is_not_called_where_the_answers_are_there(run: Runner) -> None:
    got = run("def backward(gradient):\n    return gradient * 2\ndx = backward(x)")
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_function_style_must_return_a_dict(run: Runner) -> None:
    got = run("def backward(state):\n    return 5")
    assert got.status is RunStatus.ERROR and "returned int; return a dict" in got.message


@pytest.mark.parametrize(
    "source",
    [
        "\ufeffdx = x * 2",
        "import math\r\ndx = x * 2\r\n",
        "    # indented as a whole\n    if True:\n        dx = x * 2\n",
        "\tdx = x * 2\n\tprint(dx)\n",
        "%matplotlib inline\n!pip install torch\ndx = x * 2\ndx.shape\nx?\n",
        "if True:\n    %timeit pass\n    dx = x * 2",
        "def f():\n    # nothing\n    %time\n\ndx = x * 2",
    ],
)
def test_files_as_notebooks_and_editors_leave_them(run: Runner, source: str) -> None:
    got = run(source)
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_code_as_students_write_it(run: Runner) -> None:
    source = """
import math, random, time, itertools, functools, collections, typing, json, re, copy, string
import numpy as np
import torch.nn as nn
from dataclasses import dataclass
torch.set_printoptions(precision=3, linewidth=120)
start = time.time()
time.sleep(0.001)
g = torch.Generator().manual_seed(2147483647)
torch.manual_seed(42)
random.seed(42); random.random(); np.random.rand(2); np.random.default_rng().normal()
a = torch.randn(64, 200, generator=g); b = torch.rand(200, 300); c = a @ b
print(c[:2, :4], f"{c[0, 0]:.4f}", c.shape, c.dtype)
print(torch.tensor([1 + 2j]), torch.tensor(True), torch.arange(3))
print(np.array([1.0, 2.0]), {"k": torch.ones(2)}, torch.full((2000,), 3.0))
table = torch.zeros(4, 3)
for k in range(Xb.shape[0]):
    for j in range(Xb.shape[1]):
        ix = Xb[k, j]
        table[ix] += x[k]
hot = F.one_hot(Xb, num_classes=n).float()
table.index_add_(0, Xb.view(-1), torch.ones(6, 3)); table.scatter_add(0, Xb[:, :1], torch.ones(3, 1))
torch.einsum("ij,jk->ik", x, w); torch.allclose(x, x); torch.zeros_like(x); x.view(-1); x.T.contiguous()
F.softmax(x, 1); F.cross_entropy(x, torch.tensor([0, 1, 2, 0])); F.log_softmax(x, dim=1); x.sort(); x.topk(2)
spd = x.T @ x + torch.eye(3)
torch.linalg.inv(spd); torch.linalg.svd(spd); torch.linalg.eigh(spd); torch.linalg.solve(spd, torch.ones(3))
torch.tensor(x.numpy().tolist()); torch.from_numpy(x.numpy() * 2); nn.Linear(3, 2)(x).detach()
torch.autograd  # named, not used
conv = F.conv1d(x[None], torch.ones(2, 4, 2)); drop = F.dropout(x, 0.5); norm = F.layer_norm(x, (3,))
@dataclass
class Step:
    name: str
    weight: float = 1.0
print(Step("x"), [t for t in map(lambda v: v * 2, range(3))], collections.Counter("abca"), math.sqrt(2))
big = [list(range(1000)) for _ in range(1000)]
m = torch.randn(512, 512) @ torch.randn(512, 512)
with torch.no_grad():
    dx = torch.where(x > 0, x, x)
print("done", time.time() > start)
"""
    got = run(source)
    assert got.status is RunStatus.OK, got.message
    assert got.stdout.endswith("done True\n") and "Step(name='x', weight=1.0)" in got.stdout


def test_a_traceback_has_their_lines_and_no_others(run: Runner) -> None:
    got = run("def first():\n    return second()\n\ndef second():\n    return x @ x\n\nfirst()")
    assert got.status is RunStatus.ERROR
    assert 'File "solution.py", line 7, in <module>\n    first()' in got.message
    assert 'File "solution.py", line 5, in second\n    return x @ x' in got.message
    assert "RuntimeError: mat1 and mat2" in got.message
    assert "grader" not in got.message and "site-packages" not in got.message and got.message.count("File") == 3


def test_a_traceback_through_a_library_shows_no_path_of_it(run: Runner) -> None:
    got = run("F.one_hot(Xb, num_classes=1)\n")
    assert "site-packages" not in got.message and 'File "solution.py", line 1' in got.message
    got = run("import functools\nfunctools.reduce(lambda a, b: a / 0, [1, 2])\n")
    assert got.message.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_code_that_stops_half_way_keeps_what_it_had(run: Runner) -> None:
    got = run("dx = x * 2\ndw = nowhere")
    assert got.status is RunStatus.ERROR and "NameError" in got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_a_syntax_error_has_its_line(run: Runner) -> None:
    got = run("dx = x\ndw = (w +\n")
    assert got.status is RunStatus.ERROR
    assert 'File "solution.py", line 2' in got.message and "SyntaxError: '(' was never closed" in got.message


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("open('names.txt')", "opening files is not possible here; everything you need is already"),
        ("import os\nos.listdir('.')", "opening files is not possible here"),
        ("import urllib.request\nurllib.request.socket.create_connection(('127.0.0.1', 1))", "no network"),
        ("import socket\nsocket.socket()", "no network here"),
        ("import os\nos.fork()", "starting processes or threads is not possible here"),
        ("import subprocess\nsubprocess.run(['ls'])", "not possible here"),
        ("import threading\nthreading.Thread(target=print).start()", "starting processes or threads"),
        ("import os\nos.kill(0, 9)", "sending signals is not possible here"),
        ("import ctypes\nctypes.CDLL(None).ptrace(0)", "was stopped"),
    ],
)
def test_a_forbidden_act_is_named(run: Runner, source: str, sentence: str) -> None:
    got = run(source)
    assert got.status is RunStatus.DENIED, got
    assert sentence in got.message


@pytest.mark.parametrize(
    "around",
    [
        "%matplotlib inline\nimport matplotlib.pyplot as plt, seaborn\n{}plt.figure(figsize=(4, 4)); plt.imshow(dx)",
        "from matplotlib import pyplot as plt\nfig, ax = plt.subplots()\n{}ax[0].plot(dx.tolist(), 'r')\nplt.show()",
        "from IPython.display import display, HTML\n{}display(HTML('x'))\nwith plt.style.context('ggplot'): plt.plot()",
        "for t in [x, w]: t.retain_grad()\nx.sum().backward()\n{}x.grad = None",
    ],
)
def test_what_a_notebook_has_around_a_derivation_does_not_spoil_it(run: Runner, around: str) -> None:
    got = run("import matplotlib.pyplot as plt\n" + around.format("dx = x * 2\n"))
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_a_picture_is_no_answer(run: Runner) -> None:
    got = run("import matplotlib.pyplot as plt\ndx = plt.imread('x')\ndw = plt.hist([1])[0] + 1")
    assert got.answers["x"].misfit == "a Picture is not a tensor; hand in a tensor (torch.tensor makes one)"
    assert got.status is RunStatus.ERROR and "unsupported operand" in got.message


def test_a_tensor_with_a_graph_still_has_its_backward_pass(run: Runner) -> None:
    got = run("y = x.clone().requires_grad_()\n(y * 3).sum().backward()\ndx = y.grad")
    assert holds(got, "x", torch.full((4, 3), 3.0)) and got.flags == ("autograd",)


@pytest.mark.parametrize(
    ("source", "status", "sentence"),
    [
        ("import pandas", RunStatus.ERROR, "pandas cannot be imported here"),
        ("x.cuda()", RunStatus.ERROR, "There is no GPU here; leave the tensors where they are."),
        ('{"cells": [], "metadata": {"a": null}}', RunStatus.ERROR, "hand in its code"),
        ("torch.autograd.grad(x.sum(), x)", RunStatus.ERROR, "derive the gradient and hand it to cmp"),
        ("torch.save({}, 'x.pt')", RunStatus.DENIED, "opening files is not possible here"),
        ("torch.seed()", RunStatus.DENIED, "opening files is not possible here"),
        (
            "import urllib.request\nurllib.request.urlretrieve('http://nowhere.test/names.txt', 'names.txt')",
            RunStatus.DENIED,
            "there is no network here",
        ),
        ("import os\nos.sched_getaffinity(0)", RunStatus.DENIED, "a gradient needs nothing from the operating system"),
        ("def f():\n\f    return 1 / 0\nf()", RunStatus.ERROR, "line 2, in f\n    return 1 / 0"),
    ],
)
def test_a_message_says_what_to_do(run: Runner, source: str, status: RunStatus, sentence: str) -> None:
    got = run(source)
    assert got.status is status and sentence in got.message, got
    assert "site-packages" not in got.message and "grader" not in got.message


def test_no_memory_to_show_it_with_is_still_the_memory_limit(run: Runner) -> None:
    got = run(
        "hoard = []\ntry:\n    while True: hoard.append(torch.empty(1 << 14))\nexcept RuntimeError: pass\n"
        "while True: hoard.append(bytes(100))"
    )
    assert got.status is RunStatus.MEMORY_LIMIT and "No more than 256 MiB" in got.message


def test_what_a_destructor_raised_is_shown_without_a_librarys_frames(run: Runner) -> None:
    got = run(
        "import asyncio\nclass A:\n    def __del__(self):\n        1 / 0\nA()\n"
        "try:\n    asyncio.new_event_loop()\nexcept OSError: pass"
    )
    assert got.status is RunStatus.OK
    assert 'Exception ignored: Traceback (most recent call last):\n  File "solution.py", line 4' in got.stdout
    assert "asyncio/" not in got.stdout


def test_there_is_no_grad(run: Runner) -> None:
    got = run("dx = x.grad * 2")
    assert got.status is RunStatus.ERROR and "There is no .grad here" in got.message


@pytest.mark.parametrize(
    "source",
    [
        "x.requires_grad_()\nx.sum().backward()",
        "x.requires_grad = True",
        "torch.autograd.grad",
        "y = torch.ones(2, requires_grad=True)",
        "print(x.grad_fn)",
        "from torch.func import grad",
        "getattr(x, 'backward')",
    ],
)
def test_plain_automatic_differentiation_is_flagged(run: Runner, source: str) -> None:
    assert run(source).flags == ("autograd",)


@pytest.mark.parametrize("source", ["# loss.backward() is not used", "def backward(state):\n    return {}"])
def test_words_alone_are_not_flagged(run: Runner, source: str) -> None:
    assert run(source).flags == ()


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("while True: pass", RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time"),
        (
            "import time\nprint('before', flush=True)\ntime.sleep(9)",
            RunStatus.TIME_LIMIT,
            "Stopped after 2 s;",
        ),
        ("hoard = [bytearray(2**24) for _ in range(999)]", RunStatus.MEMORY_LIMIT, "No more than 256 MiB"),
        ("torch.zeros(2**30)", RunStatus.MEMORY_LIMIT, "No more than 256 MiB"),
        ("while True: print('y' * 99)", RunStatus.OUTPUT_LIMIT, "More than 64 KiB was printed"),
        ("import ctypes\nctypes.string_at(0)", RunStatus.CRASHED, "SIGSEGV"),
        ("import os\nos._exit(0)", RunStatus.CRASHED, "ended its own process"),
        ("import sys\nsys.exit(2)", RunStatus.ERROR, "left before its end"),
        ("import sys\nsys.exit()", RunStatus.OK, ""),
        ("raise KeyboardInterrupt", RunStatus.ERROR, "KeyboardInterrupt"),
        ("def f(): f()\nf()", RunStatus.ERROR, "calls itself without end"),
        ("x = " + "(" * 5000, RunStatus.ERROR, ""),
        ("x = " + "-" * 50000 + "1", RunStatus.ERROR, ""),
        ("x = '\udc80'", RunStatus.ERROR, "cannot be read as Python"),
        ("x = '\0'", RunStatus.ERROR, ""),
        ("input('?')", RunStatus.ERROR, "nobody here to answer"),
    ],
)
def test_ends(sandbox: Sandbox, source: str, status: RunStatus, words: str) -> None:
    limits = replace(LIMITS, wall_seconds=2) if "sleep" in source else LIMITS
    got = sandbox.run(job(source, limits))
    assert got.status is status, got
    assert words in got.message
    if "before" in source:
        assert got.stdout == "?before\n".removeprefix("?")


def test_a_file_too_large_is_refused_before_it_runs(run: Runner) -> None:
    got = run("#" * 70_000)
    assert got.status is RunStatus.ERROR and "larger than 64 KiB" in got.message
    assert all(answer.tensor is None for answer in got.answers.values())


def test_output_is_text_that_cannot_steer_a_terminal(run: Runner) -> None:
    got = run(r"print('a\x1b[2Jb\x00\u202ec\r\nd'); print('\udc80é')")
    assert got.stdout == "a\ufffd[2Jb\ufffd\ufffdc\nd\n?é\n"


def test_runs_are_equal_and_know_nothing_of_each_other(run: Runner) -> None:
    source = (
        "import random, numpy\n"
        "print(torch.rand(1).item(), random.random(), numpy.random.rand(), list({'a', 'b', 'c', 'd'}))\n"
        "x += 1\ntorch.seen = getattr(torch, 'seen', 0) + 1\nprint(torch.seen)\ndx = x\n"
    )
    first, second = run(source), run(source)
    assert first.stdout == second.stdout and first.stdout.endswith("\n1\n")
    assert holds(first, "x", STATE["x"] + 1)
    assert holds(second, "x", STATE["x"] + 1)


def test_two_runs_at_once_do_not_see_each_other(sandbox: Sandbox) -> None:
    source = (
        "import time, os\n"
        "torch.mark = getattr(torch, 'mark', []) + [MARK]\n"
        "os.environ['mark'] = os.environ.get('mark', '') + str(MARK)\n"
        "time.sleep(0.2)\n"
        "print(torch.mark, os.environ['mark'])\ndx = x * MARK\n"
    )
    found: dict[int, Run] = {}

    def one(mark: int) -> None:
        found[mark] = sandbox.run(job(source.replace("MARK", str(mark))))

    threads = [threading.Thread(target=one, args=(mark,)) for mark in (3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mark in (3, 7):
        got = found[mark]
        assert got.stdout == f"[{mark}] {mark}\n"
        assert holds(got, "x", STATE["x"] * mark)


def test_shadowing_what_the_harness_uses_does_not_spoil_an_answer(run: Runner) -> None:
    got = run(
        "dx = x * 2\nimport builtins, sys\ntorch_, torch = torch, None\nprint = str = list = dict = None\n"
        "builtins.len = None\nsys.setrecursionlimit(60)\nsys.stdout = None\nsys.modules.clear()\n"
    )
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_answers_of_every_make(run: Runner) -> None:
    got = run("import numpy\ndx = numpy.float64(2) * x.numpy()\ndw = torch.nn.Parameter(w.double())\ndy = [1, 2]")
    assert got.status is RunStatus.OK, got.message
    assert got.answers["x"].notes == ("a numpy array, read as a tensor",)
    assert got.answers["w"].dtype == "float64" and got.answers["w"].notes == ("requires_grad, detached",)
    assert got.answers["y"].misfit == "a list is not a tensor; hand in a tensor (torch.tensor makes one)"


def test_an_answer_larger_than_its_slot_is_known_by_its_shape(run: Runner) -> None:
    got = run("dx = torch.zeros(100, 100)\ndy = torch.zeros(1).expand(10**12)")
    assert got.answers["x"].tensor is None and got.answers["x"].shape == (100, 100)
    assert got.answers["y"].shape == (10**12,)


def test_a_job_with_limits_of_its_own(sandbox: Sandbox) -> None:
    small, large = Limits(data_bytes=40 * 2**20), Limits(data_bytes=600 * 2**20, address_bytes=900 * 2**20)
    source = "dx = x\nhoard = torch.zeros(100, 2**18)"
    assert sandbox.run(job(source, small)).status is RunStatus.MEMORY_LIMIT
    assert sandbox.run(job(source, large)).status is RunStatus.OK


def test_more_answers_than_the_limits_allow_is_our_mistake(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="raise output_bytes"):
        sandbox.run(job("", replace(LIMITS, output_bytes=100)))
