"""The lecture's notebook and list of names, which are not part of this repository.

Both are looked for in the folder ``shared`` beside the checkout. Another place for the notebook is named in
``DOJO_LECTURE_NOTEBOOK``. A test that needs one of them calls the function inside its body.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

SHARED: Final = Path(__file__).resolve().parents[2] / "shared"


def lecture_notebook() -> Path:
    """Return the path of the lecture's notebook; skip the test if there is none."""
    path = Path(os.environ.get("DOJO_LECTURE_NOTEBOOK", SHARED / "seed" / "backprop_ninja.ipynb"))
    if not path.is_file():
        pytest.skip(
            "the lecture's notebook is not here: put it beside the checkout, or name it in DOJO_LECTURE_NOTEBOOK"
        )
    return path


def lecture_names() -> Path:
    """Return the path of the lecture's list of names; skip the test if there is none."""
    path = SHARED / "data" / "names.txt"
    if not path.is_file():
        pytest.skip("the lecture's list of names is not here: put it at ../shared/data/names.txt")
    return path
