"""Make canonical_minibatch.json from the lecture's list of names.

python -m exercises.makemore.data.make_minibatch names.txt
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from exercises.makemore.names import BLOCK_SIZE, LECTURE_DIGEST, VOCAB_SIZE, load

SEED = 2147483647
TARGET = Path(__file__).with_name("canonical_minibatch.json")


def figures_of(names: Path) -> dict[str, Any]:
    """Return the content of the file.

    The generator is the lecture's, so the parameters are drawn from it first.
    """
    dataset = load(names)
    if dataset.digest != LECTURE_DIGEST:
        raise SystemExit(f"{names} is not the lecture's list: its SHA-256 is {dataset.digest}. Get {LECTURE_DIGEST}.")
    contexts, targets = dataset.training
    generator = torch.Generator().manual_seed(SEED)
    # C, W1, b1, W2, b2
    for shape in ((VOCAB_SIZE, 10), (10 * BLOCK_SIZE, 64), (64,), (64, VOCAB_SIZE), (VOCAB_SIZE,)):
        torch.randn(shape, generator=generator)
    chosen = torch.randint(0, len(contexts), (32,), generator=generator)
    return {
        "dataset": LECTURE_DIGEST,
        "contexts": contexts[chosen].tolist(),
        "targets": targets[chosen].tolist(),
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    TARGET.write_text(json.dumps(figures_of(Path(sys.argv[1]))) + "\n", "ascii")
    print(f"wrote {TARGET.name}")
