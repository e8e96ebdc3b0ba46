"""The command line, run as a module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_module_is_the_command_and_never_ends_well_without_having_done_anything():
    done = subprocess.run([sys.executable, "-m", "flows.cli", "run"], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 2
    assert "--inbox" in done.stderr
