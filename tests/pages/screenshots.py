"""``python -m tests.pages.screenshots``: photograph every page of the seeded class into docs/screenshots.

Both themes, at a desk and, where a page works there, on a phone. The names are ``PAGE-THEME.png`` and
``PAGE-THEME-phone.png``. Give names of pages to photograph these alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from tests.pages.look import ROOT, class_server, photograph
from tests.pages.pages import PAGES, SeenPage
from tests.support import browser
from tests.support.browser import DESK, PHONE

FOLDER: Final = ROOT / "docs" / "screenshots"
BYTES_MAX: Final = 6_000_000  # of the whole folder
COLOURS_MAX: Final = 256


def main(names: Sequence[str]) -> int:
    """Take the pictures; fail if the folder is larger than it may be."""
    FOLDER.mkdir(exist_ok=True)
    wanted = [seen for seen in PAGES if not names or seen.name in names]
    wrong: list[str] = []
    with class_server() as site, browser.chromium() as chromium:
        for seen, theme, is_phone in _pictures(wanted):
            options = {"viewport": PHONE if is_phone else DESK, "color_scheme": theme, "reduced_motion": "reduce"}
            target = FOLDER / f"{seen.name}-{theme}{'-phone' if is_phone else ''}.png"
            with browser.visitor(chromium, site.address, **options) as visitor:
                photograph(site.open(visitor, seen.path, seen.who, seen.press), target)
                wrong += [f"{target.name}: {each}" for each in visitor.wrong]
                visitor.wrong.clear()
            make_smaller(target)
            print(f"{target.name:40} {target.stat().st_size / 1000:6.0f} kB", flush=True)
    size = sum(each.stat().st_size for each in FOLDER.glob("*.png"))
    print(f"{size / 1e6:.1f} MB in all")
    print("\n".join(wrong), file=sys.stderr)
    return int(size > BYTES_MAX or bool(wrong))


def _pictures(pages: Sequence[SeenPage]) -> Iterator[tuple[SeenPage, str, bool]]:
    for seen in pages:
        for theme in ("light", "dark"):
            yield seen, theme, False
            if seen.on_phone:
                yield seen, theme, True


def make_smaller(target: Path) -> None:
    """Give a picture a palette: pages have few colours, and the edges of letters take the nearest one."""
    picture = Image.open(target).convert("RGB")
    picture.quantize(COLOURS_MAX, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
