"""The bench of a night: the page from figures, the slope, the floor of a station."""

import polars as pl
import pytest

from benchmarks.best import at_best
from benchmarks.changed import change
from benchmarks.page import slope, write_page


def result(scale: float, rows: int, link: float) -> dict:
    stations = {s: {"seconds": c, "cpu_seconds": c, "peak_mib": 100.0, "best": 0.5} for s, c in (("intake", rows / 1000), ("link", link))}
    whole = {"seconds": 10.0, "cpu_seconds": 20.0, "peak_mib": 50.0}
    return {
        "scale": scale, "children": int(5e6 * scale), "inbox_bytes": 10**6, "generator": {"rows": rows, "seconds": 1.0, "cpu_seconds": 1.0, "peak_mib": 1.0},
        "first": {"stations": stations, "whole": whole, "rows": rows, "persons": 1},
        "unchanged": {"stations": {"unchanged": stations["link"]}, "whole": {**whole, "seconds": 2.0}, "rows": rows, "persons": 1},
        "changed": {"stations": {"link": {**stations["link"], "seconds": 3.0}}, "whole": {**whole, "seconds": 5.0}, "rows": rows, "persons": 1, "changed_rows": 12},
        "left": {"work": 10**6, "store": 10**6, "register": 10**6},
    }  # fmt: skip


@pytest.mark.parametrize(("times", "expected"), [((1.0, 10.0, 100.0), 1.0), ((1.0, 100.0, 10_000.0), 2.0), ((5.0, 5.0, 5.0), 0.0)])
def test_the_slope_is_the_power_of_the_growth(times, expected):
    results = [result(0.02 * 10**i, 1000 * 10**i, t) for i, t in enumerate(times)]
    assert slope(results, "link") == pytest.approx(expected)
    assert slope(results[:1], "link") is None


@pytest.mark.parametrize(("load", "busy"), [(0.1, False), (7.0, True)])
def test_the_page_has_every_station_and_says_when_the_machine_was_busy(tmp_path, load, busy):
    machine = {"cores": 2, "memory_gib": 24, "python": "3.11", "load": load, "on": "2026-11-25"}
    write_page(machine, [result(0.02, 1000, 1.0), result(0.2, 10_000, 10.0)], tmp_path)
    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert ("other work ran on the same cores" in page) is busy
    assert "| link | 10.0 | 10.0 | 1,000 | 100 | 0.50 | 20.0 |" in page
    assert "| link | 1.00 |" in page
    assert "| 0.2 | 10,000 | 20 | 20 | 2,000.0 | 100 |" in page
    assert "| 0.2 | unchanged | 10,000 | 2.0 |" in page
    assert "| 0.2 | changed | 10,000 | 5.0 |" in page
    assert "12 rows are gone or another." in page
    assert "| link | 3.0 | 10.0 | 10.0 | 10.0 |" in page
    assert "nothing was handed out" not in page
    write_page(machine, [result(0.02, 1000, 1.0) | {"until_published": True}], tmp_path)
    assert "nothing was handed out" in (tmp_path / "benchmarks.md").read_text("utf-8")
    for chart in ("stations", "slope"):
        assert (tmp_path / "benchmarks" / f"{chart}.svg").read_text("utf-8").startswith("<svg")


def test_the_city_a_night_later_has_other_rows_and_the_same_files(tmp_path):
    (tmp_path / "inbox" / "feed").mkdir(parents=True)
    lines = [b"head\n", *(b"row,%d,x\n" % (10 * i) for i in range(2000)), b'row,"2\n', b'0",y\n']
    (tmp_path / "inbox" / "feed" / "a.csv").write_bytes(b"".join(lines))
    (tmp_path / "inbox" / "feed" / "b.parquet").write_bytes(b"as it is")
    changed = change(tmp_path / "inbox", tmp_path / "after", 0.1)
    after = (tmp_path / "after" / "feed" / "a.csv").read_bytes().splitlines(keepends=True)
    assert (tmp_path / "inbox" / "feed" / "a.csv").read_bytes() == b"".join(lines)
    assert (tmp_path / "after" / "feed" / "b.parquet").read_bytes() == b"as it is"
    assert after[0] == lines[0] and after[-2:] == lines[-2:]
    gone, other = len(lines) - len(after), len([line for line in after if line not in lines])
    assert 140 < changed < 260 and gone > 60 and other > 0
    assert all(line.startswith(b"row,") and line.endswith((b",x\n", b'"2\n')) for line in after[1:-1])
    assert change(tmp_path / "inbox", tmp_path / "after", 0.1) == changed


def test_the_floor_of_a_station_reads_sorts_and_writes_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "record").mkdir()
    for file in ("record/household.parquet", "person_record.parquet"):
        pl.DataFrame({"a": range(200_000)}).write_parquet(tmp_path / file)
    (tmp_path / "record" / "education.parquet").mkdir()
    pl.DataFrame({"a": range(200_000)}).write_parquet(tmp_path / "record" / "education.parquet" / "0.parquet")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_bytes(b"x" * 10**6)
    places = {"inbox": tmp_path / "inbox", "register": tmp_path / "none", "out": tmp_path / "none"}
    before = sorted(tmp_path.rglob("*"))
    assert at_best("link", tmp_path, places) > 0
    assert at_best("intake", tmp_path, places) >= 0
    assert at_best("unknown", tmp_path, places) == 0
    assert sorted(tmp_path.rglob("*")) == before
