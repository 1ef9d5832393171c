"""Python files, as they are."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.exercises_2_to_4 import THREE, THREE_HEAD, TRAINING, TWO, TWO_HEAD
from tests.client.notebook_slice.shapes.shape import (
    ALL,
    BATCH,
    BATCH_NORM,
    BEFORE_LOOP,
    CMP,
    COMPARED,
    FORWARD,
    IMPORTS,
    LECTURE,
    ORDER,
    PARAMETERS,
    READING,
    SETUP,
    TOP,
    TOP_NAMES,
    Shape,
    indented,
    names,
    replaced,
)

PLAIN = "\n".join(SETUP)
RETURNED = "return {" + ", ".join(f"'d{name}': d{name}" for name in ORDER) + "}"

SHAPES = (
    Shape(
        "cells of # %%, one a step of the course",
        script="# %%\n" + "\n# %%\n".join((*SETUP, TOP, LECTURE[len(TOP) :], COMPARED)),
        passes=ALL,
    ),
    Shape(
        "jupytext with markdown and three exercises",
        script="# %% [markdown]\n# # Becoming a backprop ninja\n# %%\n"
        + PLAIN
        + "\n# %% [markdown]\n# ## Exercise 1: backprop through the whole thing\n# %%\n"
        + LECTURE
        + "\n# %%\n"
        + "\n# %%\n".join((TWO_HEAD, TWO.replace("dlogits /= n\n", ""), THREE_HEAD, THREE)),
        passes=ALL,
    ),
    Shape(
        "the third exercise of a script with cells",
        script="# %%\n" + "\n# %%\n".join((*SETUP, LECTURE, TWO_HEAD, TWO, THREE_HEAD, THREE)),
        exercise=BATCH_NORM,
        passes=names("hprebn"),
    ),
    Shape("a plain script that reads the names", script=PLAIN + LECTURE + "\n" + COMPARED, passes=ALL),
    Shape(
        "everything in main, under the guard",
        script=IMPORTS
        + CMP
        + "\ndef main():\n"
        + indented(READING + PARAMETERS + BATCH + FORWARD + LECTURE + "\n" + COMPARED)
        + "\n\nif __name__ == '__main__':\n    main()\n",
        passes=ALL,
    ),
    Shape(
        "only the answers under the guard",
        script=PLAIN + "\nif __name__ == '__main__':\n" + indented(LECTURE + "\n" + COMPARED) + "\n",
        passes=ALL,
    ),
    Shape(
        "a progress bar",
        script="from tqdm import tqdm\n" + PLAIN + BEFORE_LOOP + "\nfor k in tqdm(range(Xb.shape[0]), desc='dC'):"
        "\n  for j in range(Xb.shape[1]):\n    dC[Xb[k,j]] += demb[k,j]\n",
        passes=ALL,
    ),
    Shape(
        "the folder of the file",
        script="from pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
        + replaced(PLAIN, ("open('names.txt', 'r').read()", "(HERE / 'names.txt').read_text()"))
        + LECTURE,
        passes=ALL,
    ),
    Shape(
        "arguments from the command line",
        script="import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--seed', type=int, default=1)\n"
        "args = parser.parse_args()\n" + replaced(PLAIN, ("2147483647", "args.seed")) + LECTURE,
        passes=ALL,
    ),
    Shape(
        "functions, and a call at the end",
        script=PLAIN
        + "\ndef manual_backward():\n"
        + indented(LECTURE + "\n" + RETURNED)
        + "\n\ngrads = manual_backward()\n"
        + "".join(f"d{name} = grads['d{name}']\n" for name in ORDER),
        passes=ALL,
    ),
    Shape(
        "a function that is handed the forward pass",
        script=PLAIN
        + "\ndef softmax_part(logprobs, probs, counts, counts_sum, counts_sum_inv, logits, Yb, n):\n"
        + indented(
            TOP
            + "\nreturn dlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits"
        )
        + "\ndlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits = "
        "softmax_part(logprobs, probs, counts, counts_sum, counts_sum_inv, logits, Yb, n)\n",
        passes=TOP_NAMES,
    ),
    Shape(
        "a training loop at the end", script=PLAIN + LECTURE + "\n" + TRAINING.replace("200000", "2000000"), passes=ALL
    ),
    Shape(
        "pictures and a checkpoint on the disk",
        script=PLAIN + LECTURE + "\nplt.imshow(dlogits.detach())\nplt.savefig('d.png')\ntorch.save(dC, 'dC.pt')\n",
        passes=ALL,
    ),
    Shape(
        "a last line that is not finished",
        script=PLAIN + LECTURE + "\nprint(dC.",
        passes=ALL,
    ),
    Shape(
        "tabs, and Windows' line ends",
        script=(PLAIN + LECTURE.replace("  ", "\t")).replace("\n", "\r\n"),
        passes=ALL,
    ),
    Shape(
        "a seed, a device and typed names",
        script="torch_seed: int = 42\n"
        + PLAIN
        + "\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
        + replaced(LECTURE, ("dh = dlogits @ W2.T", "dh: torch.Tensor = dlogits.to(device) @ W2.T.to(device)")),
        passes=ALL,
    ),
)
