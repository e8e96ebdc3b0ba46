"""The same exports in another order: files renamed, rows moved about; and registers told by the content of their rows instead of where they were found."""

import gzip
import json
import random
import re
from pathlib import Path

import duckdb
import openpyxl
import polars as pl

_CODECS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb": "utf-8"}


def shuffled(inbox: Path, target: Path, seed: int) -> int:
    """Write the inbox's files with their rows in another order, under other part names; returns how many rows changed their place."""
    dice, moved = random.Random(seed), 0
    for file in sorted(inbox.glob("*/*")):
        name = re.sub(r"_(\d{8})_", r"_\1_z", file.name, count=1)
        (target / file.parent.name).mkdir(parents=True, exist_ok=True)
        moved += _SHUFFLERS[file.suffix](file, target / file.parent.name / name, dice)
    return moved


def _mixed(rows: list, dice: random.Random) -> tuple[list, int]:
    other = dice.sample(rows, len(rows))
    return other, sum(a != b for a, b in zip(rows, other, strict=True))


def _is_last(cells: str) -> bool:
    return cells.startswith(("合计", "填表"))


def _text(file: Path, target: Path, dice: random.Random) -> int:
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    codec = _CODECS.get(content[:2]) or ("utf-8" if _decodes(content) else "gb18030")
    lines = content.decode(codec, "surrogateescape").splitlines(keepends=True)
    head = next(i for i, line in enumerate(lines) if "姓名" in line) + 1
    last = next((i for i in range(head, len(lines)) if _is_last(lines[i].lstrip('"'))), len(lines))
    body, moved = _mixed(lines[head:last], dice)
    written = "".join([*lines[:head], *body, *lines[last:]]).encode(codec, "surrogateescape")
    target.write_bytes(gzip.compress(written) if file.suffix == ".gz" else written)
    return moved


def _decodes(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _workbook(file: Path, target: Path, dice: random.Random) -> int:
    book = openpyxl.load_workbook(file)
    moved = 0
    for sheet in book:
        rows = [[(c.value, c.number_format) for c in row] for row in sheet.iter_rows()]
        heads = [i for i, row in enumerate(rows) if any(v == "姓名" for v, _ in row)]
        if not heads:
            continue
        head = heads[0] + 1
        last = next((i for i in range(head, len(rows)) if any(_is_last(str(v)) for v, _ in rows[i])), len(rows))
        body, changed = _mixed(rows[head:last], dice)
        moved += changed
        for r, row in enumerate(body, start=head + 1):
            for c, (value, form) in enumerate(row, start=1):
                cell = sheet.cell(r, c)
                cell.value, cell.number_format = value, form
    book.save(target)
    return moved


def _parquet(file: Path, target: Path, dice: random.Random) -> int:
    frame = pl.read_parquet(file)
    frame.sample(fraction=1, shuffle=True, seed=dice.randrange(10**6)).write_parquet(target)
    return frame.height


_SHUFFLERS = {".csv": _text, ".gz": _text, ".xlsx": _workbook, ".parquet": _parquet}


def by_content(register: Path) -> dict[str, list[str]]:
    """Every table's rows as sorted texts, each mention of a file and row replaced by what the row holds. Receipts are of files: left out."""
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        where = "SELECT feed, source_file, source_row, record_hash::VARCHAR FROM record UNION ALL SELECT feed, source_file, source_row, 'Q' || original::VARCHAR FROM quarantine"
        holds = {(feed, file, row): content for feed, file, row, content in con.execute(where).fetchall()}
        names = [n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY table_name").fetchall()]
        tables = {n: con.sql(f'SELECT * FROM "{n}"').pl().to_dicts() for n in names if n not in ("feed_receipt", "run")}
    return {n: sorted(json.dumps(_told(row, holds), ensure_ascii=False, sort_keys=True, default=str) for row in rows) for n, rows in tables.items()}


def _told(value: object, holds: dict) -> object:
    if isinstance(value, list):
        return [_told(v, holds) for v in value]
    if isinstance(value, dict):
        kept = {k: _told(v, holds) for k, v in value.items() if k not in ("run_id", "recorded_at", "superseded_at")}
        if "source_row" in kept:
            found_in = kept.get("feed", "verification"), kept.pop("source_file"), kept.pop("source_row")
            kept["content"] = holds.get(found_in)
        return kept
    return value
