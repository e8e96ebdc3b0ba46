"""One run of the small checked-in city, shared by the journey's tests, and the tools to compare two registers."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "sample_data" / "tiny"
# what differs between two runs by right: run ids, clock times, fingerprints of files whose bytes may differ
BY_RIGHT = {"run": ["run_id", "started_at", "finished_at", "seconds", "peak_mib", "inputs_hash", "linkage_hash"]}


@dataclass(frozen=True)
class Done:
    """A finished command: exit code and what it said."""

    code: int
    out: str
    err: str


def childflow(*words: object, **environment: str) -> Done:
    """Run the console command as a user would, without a Prefect server."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | environment
    call = [sys.executable, "-c", "from flows.cli import main; main()", *map(str, words)]
    done = subprocess.run(call, capture_output=True, text=True, env=env, cwd=ROOT, timeout=300, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def as_of_of(city: Path) -> str:
    return str(json.loads((city / "city.json").read_text("utf-8"))["as_of"])


def run(inbox: Path, register: Path, as_of: str, *words: str, **environment: str) -> Done:
    done = childflow("run", "--inbox", inbox, "--register", register, "--as-of", as_of, *words, **environment)
    assert done.code == 0, done.err
    return done


def tables(register: Path) -> dict[str, pl.DataFrame]:
    """Every contract table of the register, without what differs by right, rows in a total order of their content."""
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        names = [n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_name").fetchall()]
        found = {n: con.sql(f'SELECT * FROM "{n}"').pl() for n in names}
    return {n: ordered(f.drop(_by_right(n, f))) for n, f in found.items()}


def _by_right(name: str, frame: pl.DataFrame) -> list[str]:
    return [c for c in frame.columns if c in (*BY_RIGHT.get(name, ()), "run_id", "recorded_at", "superseded_at")]


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows ordered by their whole content."""
    if not frame.height:
        return frame
    rows = pl.Series("rows", [json.dumps(r, default=str, ensure_ascii=False, sort_keys=True) for r in frame.iter_rows(named=True)])
    return frame.with_columns(rows.alias("__row")).sort("__row").drop("__row")


@pytest.fixture(scope="session")
def tiny_as_of() -> str:
    return as_of_of(TINY)


@pytest.fixture(scope="session")
def tiny_register(tmp_path_factory, tiny_as_of) -> Path:
    """The register of the small city after one night."""
    register = tmp_path_factory.mktemp("tiny") / "register.duckdb"
    run(TINY / "inbox", register, tiny_as_of)
    return register
