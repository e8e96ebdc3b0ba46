"""The city a night later. Enters: an inbox and a share. Leaves: another inbox with the same files, in which that share of the rows of plain text exports is gone or says something else."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path

_SEED = 7
_DIGIT = re.compile(rb"(\d)(?=\D*$)")


def change(inbox: Path, target: Path, share: float) -> int:
    """Write the inbox of the night after; files that stay are second names of the same files. How many rows changed.

    Half of the rows that change are gone, of the other half the last digit is another.
    """
    draw, changed = random.Random(_SEED), 0
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(inbox, target, copy_function=os.link)
    for file in sorted(target.rglob("*.csv")):
        made = file.with_suffix(".made")
        with file.open("rb") as before, made.open("wb") as after:
            after.write(before.readline())
            for line in before:
                # a row that goes over several lines stays
                if draw.random() >= share or b'"' in line:
                    after.write(line)
                    continue
                changed += 1
                if draw.random() < 0.5:
                    after.write(_DIGIT.sub(lambda digit: b"%d" % ((int(digit[1]) + 1) % 10), line))
        made.replace(file)
    return changed
