"""The night on two worker processes, one of which dies while it writes a part: the tables of the night in one process; and what is said where workers cannot be had."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import cluster
from flows.settings import UnusableInputError, night
from tests.journey.conftest import ROOT, TINY, Done, tables

# small parts, so that each worker has several; nothing is handed out, which takes longest and changes no table
RUN = """
from flows.settings import quiet_prefect
quiet_prefect()
import flows.nightly, matching.pairs_in_parts, matching.standardise, rules.parts
flows.nightly.HAND_OUT = lambda *_: None
matching.standardise.PART_ROWS, matching.pairs_in_parts.UNITS_COMPARED, rules.parts.CHILDREN_AT_ONCE = 50, 100, 20
from flows.cli import main
if __name__ == "__main__":
    main()
"""
# what a worker loads first: the first to write its second file of pairs dies instead, once
DYING = """
import os
from pathlib import Path
import matching.pairs_in_parts
def dying(write, mark):
    written = []
    def once(*args):
        if written and not mark.exists():
            mark.touch()
            os._exit(1)
        written.append(None)
        write(*args)
    return once
matching.pairs_in_parts.write_whole = dying(matching.pairs_in_parts.write_whole, Path({mark!r}))
"""


@pytest.fixture(scope="module")
def spread(tmp_path_factory, tiny_as_of) -> tuple[Path, Done]:
    """The folder of a night on two worker processes, under Prefect, and what was said."""
    folder = tmp_path_factory.mktemp("spread")
    (folder / "dying.py").write_text(DYING.format(mark=str(folder / "died")), "utf-8")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | {
        "PREFECT_HOME": str(folder / "prefect"), "CHILDFLOW_RUNNER": "dask",
        "DASK_DISTRIBUTED__WORKER__PRELOAD": json.dumps([str(folder / "dying.py")]),
    }  # fmt: skip
    call = [sys.executable, "-c", RUN, "run", "--inbox", str(TINY / "inbox"), "--register", str(folder / "register.duckdb"), "--as-of", tiny_as_of]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, env=env, timeout=300, check=False)
    return folder, Done(done.returncode, done.stdout, done.stderr)


def test_two_worker_processes_one_of_them_dying_give_the_tables_of_one_process(spread, tiny_register):
    folder, done = spread
    assert done.code == 0, done.err
    one, other = tables(tiny_register), tables(folder / "register.duckdb")
    assert set(one) == set(other)
    for name in sorted(one):
        assert one[name].equals(other[name]), name


def test_every_station_was_done_in_parts_and_a_worker_died_over_one(spread):
    folder, done = spread
    assert (folder / "died").exists()
    for said in ("standardise: 21 parts", "block: 15 parts", "compare: 3 parts", "decide: 8 parts"):
        assert said in done.err


def test_no_name_or_number_is_said_by_workers_or_kept_by_prefect(spread):
    folder, done = spread
    with duckdb.connect(str(folder / "register.duckdb"), read_only=True) as con:
        values = [v for (v,) in con.execute("SELECT id_number FROM person WHERE id_number IS NOT NULL UNION SELECT name FROM person WHERE len(name) > 2").fetchall()]
        values += [v for (v,) in con.execute("SELECT person_id FROM person").fetchall()]
    kept = b"".join(p.read_bytes() for p in (folder / "prefect").rglob("*") if p.is_file()) + (done.out + done.err).encode()
    assert len(values) > 250 and len(kept) > 100_000
    assert [v for v in values if v.encode() in kept or v.encode("unicode_escape") in kept] == []


def test_nothing_of_dask_is_loaded_where_nobody_asks_for_it():
    asked = "import flows.nightly, sys; sys.exit(bool({'dask', 'distributed', 'prefect_dask'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("runner", "said"),
    [
        ("spark", "CHILDFLOW_RUNNER takes threads, dask, or the address of a Dask scheduler such as tls://10.1.2.3:8786, not 'spark'"),
        ("tcp://127.0.0.1", "CHILDFLOW_RUNNER takes threads, dask, or the address of a Dask scheduler"),
    ],
)
def test_an_unknown_runner_is_refused(runner, said, monkeypatch):
    monkeypatch.setenv("CHILDFLOW_RUNNER", runner)
    with pytest.raises(UnusableInputError, match=re.escape(said)):
        night(str(TINY / "inbox"), "register.duckdb")


def test_workers_on_other_machines_need_a_server_that_they_reach(monkeypatch):
    with pytest.raises(UnusableInputError, match=r"workers at tcp://10\.0\.0\.1:8786 need a Prefect server that they can reach"), temporary_settings({PREFECT_API_URL: None}):
        cluster._server("tcp://10.0.0.1:8786")


class Workers:
    """A cluster of one worker that answers what it is told to."""

    def __init__(self, program: str, sees: bool) -> None:
        self.client, self._program, self._sees = self, program, sees

    def wait_for_workers(self, count: int, timeout: float) -> None:
        if not self._program:
            raise TimeoutError

    def run(self, function, *args):
        return {"tcp://10.0.0.2:9000": self._program if function is cluster.program_hash else function(*args) if self._sees else None}


@pytest.mark.parametrize(
    ("workers", "said"),
    [
        (Workers("", True), "no Dask workers at threads"),
        (Workers("other", True), "worker tcp://10.0.0.2:9000 has another childflow"),
        (Workers(cluster.program_hash(), False), "worker tcp://10.0.0.2:9000 does not see"),
    ],
)
def test_workers_that_do_not_fit_are_named_before_anything_is_done(workers, said, tmp_path):
    tonight = night(str(TINY / "inbox"), str(tmp_path / "register.duckdb"))
    tonight.state.mkdir()
    with pytest.raises(UnusableInputError, match=said):
        cluster._require_fit(workers, tonight)
    assert list(tonight.state.iterdir()) == []


def test_workers_that_fit_are_taken(tmp_path):
    tonight = night(str(TINY / "inbox"), str(tmp_path / "register.duckdb"))
    tonight.state.mkdir()
    cluster._require_fit(Workers(cluster.program_hash(), True), tonight)
    assert list(tonight.state.iterdir()) == [], "the mark that workers looked for is taken away"
