"""The statement of an exercise as a page shows it."""

from __future__ import annotations

import pytest

from server.pages.statement import BlockKind, blocks

TEXT = """# Sum

Each row of `x`, [4, 5],
is added **up**, *all*, 2 * 3 * 4.

- `x`: the input
- `dy`: what comes
  in

## Look out

```
x   2  5
    1  <b>
```

And on.
"""


def test_each_kind_of_block_is_shown_as_itself() -> None:
    assert [(block.kind, [str(line) for line in block.lines]) for block in blocks(TEXT)] == [
        (
            BlockKind.PARAGRAPH,
            ["Each row of <code>x</code>, [4, 5], is added <strong>up</strong>, <em>all</em>, 2 * 3 * 4."],
        ),
        (BlockKind.LIST, ["<code>x</code>: the input", "<code>dy</code>: what comes in"]),
        (BlockKind.HEADING, ["Look out"]),
        (BlockKind.CODE, ["x   2  5\n    1  &lt;b&gt;"]),
        (BlockKind.PARAGRAPH, ["And on."]),
    ]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "`<script>`", "**<script>**", "*<script>*", "- <script>"]
)
def test_a_statement_holds_no_html_of_its_own(text: str) -> None:
    assert "<script>" not in "".join(str(line) for block in blocks(text) for line in block.lines)


def test_an_empty_statement_has_no_blocks() -> None:
    assert blocks("") == blocks("# Only a title\n") == ()
