"""The small checked-in city in sample_data/tiny. Enters: nothing. Leaves: the planted stories and a hundred families, damaged twice as often as usual, with more rows to quarantine.

`python -m sample_data.tiny` writes it anew; nothing changes unless the generator did.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from sample_data.city import Summary, write_city
from sample_data.rates import rates

FOLDER = Path(__file__).parent / "tiny"
CHILDREN, SEED = 150, 20241101


def write(folder: Path = FOLDER) -> Summary:
    """Write the small city in place of what is there."""
    for part in ("inbox", "truth"):
        shutil.rmtree(folder / part, ignore_errors=True)
    often = rates().scaled(2)
    return write_city(CHILDREN, SEED, folder, rates=replace(often, rows=often.rows | {"quarantined": 0.012}), resources=True)


if __name__ == "__main__":
    written = write()
    print(f"{FOLDER.name}: {written.children} children, {written.rows} rows, {written.files} files")
