"""Analysts while it runs: twenty readers in processes of their own ask again and again while version after version is published."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

from tests.publish.register_city import child, night

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, READERS_EACH, NIGHTS = 2, 10, 4
# a half would be: no run, a person without an assessment, or fewer persons than nights so far
READER = """
import sys, threading, time
from pathlib import Path
from publish.register import connect
register, stop, faults, seen = Path(sys.argv[1]), Path(sys.argv[2]), [], set()
def read():
    while not stop.exists():
        try:
            with connect(register, memory="200MB") as con:
                runs, persons, halves = con.execute(
                    "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM person), "
                    "(SELECT count(*) FROM person LEFT JOIN assessment USING (person_id) WHERE outcome IS NULL)").fetchall()[0]
                seen.add(runs)
                if persons != runs or halves:
                    faults.append(f"{runs} runs, {persons} persons, {halves} halves")
        except Exception as error:
            faults.append(f"{type(error).__name__}: {error}")
        time.sleep(0.4)
threads = [threading.Thread(target=read) for _ in range(int(sys.argv[3]))]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(seen), faults[:3])
"""


def test_twenty_readers_never_fail_and_never_see_a_half(tmp_path):
    def children(n: int) -> list[dict[str, object]]:
        return [child(f"p{i}") for i in range(n)]

    night(tmp_path, 0, date(2027, 1, 1), children(1))
    stop = tmp_path / "stop"
    call = [sys.executable, "-c", READER, str(tmp_path / "register.duckdb"), str(stop), str(READERS_EACH)]
    readers = [subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    try:
        for n in range(1, NIGHTS):
            night(tmp_path, n, date(2027, 1, 1) + timedelta(days=n), children(n + 1))
    finally:
        stop.touch()
        said = [reader.communicate(timeout=60)[0].strip() for reader in readers]
    assert [line.split(" ", 1)[1] for line in said] == ["[]"] * PROCESSES
    assert max(int(line.split(" ", 1)[0]) for line in said) > 1, "no reader was there while a version took another's place"
