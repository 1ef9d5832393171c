"""``python -m bench.pages``: how many bytes a browser fetches for each page, with nothing kept from before.

Each page of ``tests/pages/pages.py`` is opened in a browser of its own, on a class of 60. The goals are those of a
first view over a slow network. Writes ``bench/pages.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.pages.look import class_server
from tests.pages.pages import PAGES
from tests.support import browser

RESULTS: Final = Path(__file__).with_name("pages.json")
KB: Final = 1000
BYTES_MAX: Final = 200 * KB
BYTES_MAX_OF: Final = {"workbench": 400 * KB}  # it brings an editor along


def main() -> int:
    """Measure every page, print it, and write it down; fail if one is larger than its goal."""
    measured: dict[str, int] = {}
    with class_server() as site, browser.chromium() as chromium:
        for seen in PAGES:
            with browser.visitor(chromium, site.address) as visitor:
                if seen.who != "nobody":
                    visitor.sign_in(site.tokens[seen.who])
                measured[seen.name] = _bytes_of(visitor, seen.path)
                visitor.wrong.clear()
            goal = _goal(seen.name)
            print(f"{seen.name:24} {measured[seen.name] / KB:7.1f} kB of {goal / KB:.0f}", flush=True)
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n")
    too_large = [name for name, size in measured.items() if size > _goal(name)]
    if too_large:
        print(f"too large: {', '.join(too_large)}", file=sys.stderr)
    return int(bool(too_large))


def _goal(name: str) -> int:
    """Return how many bytes a page may have: that of the page whose name it begins with, or that of all."""
    return next((most for start, most in BYTES_MAX_OF.items() if name.startswith(start)), BYTES_MAX)


def _bytes_of(visitor: browser.Visitor, path: str) -> int:
    """Return the bytes of all answers that a page took, headers included, as they came over the network."""
    page = visitor.context.new_page()
    network = visitor.context.new_cdp_session(page)
    sizes: list[float] = []

    def add(event: dict[str, Any]) -> None:
        sizes.append(float(event["encodedDataLength"]))

    network.on("Network.loadingFinished", add)
    network.send("Network.enable")
    page.goto(visitor.address + path, wait_until="load")
    page.wait_for_timeout(500)  # what scripts fetch at once
    return round(sum(sizes))


if __name__ == "__main__":
    sys.exit(main())
