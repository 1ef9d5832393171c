"""``python -m tests.pages.look PATH OUT.png``: photograph a page of the seeded class, as somebody.

The class is kept for an hour in the folder of temporary files, because drawing it takes longer than looking at it.
``--serve`` keeps the server up instead, and prints an address that signs in each of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from grader import numerics

numerics.pin()

from server.database import migrate  # noqa: E402
from server.database.engine import Database  # noqa: E402
from tests.support import browser, seeded_class  # noqa: E402
from tests.support.browser import DESK, PHONE  # noqa: E402
from tests.support.seeded_site import SeededSite, serve  # noqa: E402

ROOT: Final = Path(__file__).parents[2]
KEPT_SECONDS: Final = 3600.0
CHECKED: Final = """() => document.querySelector("[data-live]")?.textContent !== "checking" """
LOOKERS: Final = ("student", "assistant", "staff", "admin", "nobody")


@contextmanager
def class_server() -> Iterator[SeededSite]:
    """Serve the seeded class, drawn now or within the last hour."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), _drawn(Path(folder) / "dojo.db")) as site:
        yield site


def photograph(page: Page, target: Path, *, whole: bool = False) -> None:
    """Write a picture of a page, once its fonts and pictures are there, and its workbench has checked the code."""
    page.wait_for_load_state("load")
    page.wait_for_function(CHECKED)
    page.evaluate("document.fonts.ready.then(() => null)")
    page.screenshot(path=target, full_page=whole, animations="disabled", caret="hide")


def _drawn(target: Path) -> dict[str, str]:
    """Write the class's database, drawn now or within the last hour; return the tokens."""
    kept = Path(tempfile.gettempdir()) / f"backprop-dojo-class-{os.getuid()}" / _digest()
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    database, tokens = kept / "dojo.db", kept / "tokens.json"
    if not tokens.exists() or time.time() - tokens.stat().st_mtime > KEPT_SECONDS:
        part = kept / f"part-{os.getpid()}.db"
        migrate.upgrade(f"sqlite:///{part}")
        drawing = Database(f"sqlite:///{part}")
        drawn = seeded_class.fill(drawing).tokens
        drawing.close()
        part.rename(database)
        tokens.write_text(json.dumps(drawn))
    shutil.copy(database, target)
    found: dict[str, str] = json.loads(tokens.read_text())
    return found


def _digest() -> str:
    """Return a name for what the class is drawn by."""
    files = [Path(seeded_class.__file__), *sorted((ROOT / "migrations" / "versions").glob("*.py"))]
    return hashlib.sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:16]


def main() -> int:
    """Take one picture, or keep serving."""
    parser = argparse.ArgumentParser(prog="python -m tests.pages.look", description=__doc__)
    parser.add_argument("path", nargs="?", default="/courses", help="such as /courses/deep-learning-lab/class")
    parser.add_argument("out", nargs="?", type=Path, help="the picture to write")
    parser.add_argument("--as", dest="who", choices=LOOKERS, default="student")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--phone", action="store_true")
    parser.add_argument("--whole", action="store_true", help="the whole page, not only what a screen shows")
    parser.add_argument("--press", help="the name of a button to press first")
    parser.add_argument("--no-script", action="store_true")
    parser.add_argument("--serve", action="store_true", help="keep the server up, and print its address and tokens")
    asked = parser.parse_args()
    with class_server() as site:
        if asked.serve:
            print(site.address, json.dumps(site.tokens, indent=2), flush=True)
            time.sleep(KEPT_SECONDS)
            return 0
        options = {
            "viewport": PHONE if asked.phone else DESK,
            "color_scheme": "dark" if asked.dark else "light",
            "java_script_enabled": not asked.no_script,
        }
        with browser.chromium() as chromium, browser.visitor(chromium, site.address, **options) as visitor:
            page = site.open(visitor, asked.path, asked.who, asked.press)
            photograph(page, asked.out or Path("page.png"), whole=asked.whole)
    return 0


if __name__ == "__main__":
    sys.exit(main())
