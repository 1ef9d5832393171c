"""The derived lines of public forward passes are right: of the blocks and losses that authors paste most."""

from __future__ import annotations

from pathlib import Path

import pytest

from author.derive.checked import checked
from author.derive.lines import derived
from author.paste.document import split
from author.paste.pasting import paste
from exercises.folder import default_checkpoints
from exercises.language import given

FORWARDS = Path(__file__).parents[1] / "forwards"
DERIVED = (
    "alibi_attention", "block_swiglu", "causal_conv", "contrastive_moco", "ddpm_vpred",
    "moe_topk", "resnet_groupnorm", "vae_bernoulli",
)  # fmt: skip


@pytest.mark.parametrize("name", DERIVED)
def test_each_line_of_a_public_forward_pass_is_derived(name: str) -> None:
    pasted = paste(split((FORWARDS / f"{name}.py").read_text(encoding="utf-8")))
    samples = given.read(pasted.given).samples(3)
    asked = default_checkpoints(pasted.forward, given.read(pasted.given).params)

    lines = checked(pasted.forward, samples, derived(pasted.forward, samples, asked))

    assert {each.line.name for each in lines} >= set(asked)
    assert [each.line.code for each in lines if not each.is_right] == []
