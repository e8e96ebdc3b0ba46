"""The linkage engine alone, on anybody's tables. Enters: a model file, one or two tables, where to write. Leaves: two Parquet files, and lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.options import not_over
from flows.settings import UnusableInputError
from matching.tables.link import Linkage, link_tables
from matching.tables.save import save_model
from matching.tables.spec import load_spec


def linking(model: Path, tables: list[Path], out: Path, saved: Path | None) -> Iterator[str]:
    """Links two tables or finds the duplicates of one; writes the pairs to `out`, and the clusters beside it.

    Args:
        saved: where to write the model with the numbers found, so that a later run weighs the same.

    Raises:
        UnusableInputError: `out` is no .parquet, it or the clusters would be written over a table, a folder is in the way or cannot be made, or `saved` is there already.
        LinkError: the model or a table cannot be used.
    """
    if out.suffix != ".parquet":
        raise UnusableInputError(f"--out takes a file that ends in .parquet, not {out}")
    if saved is not None and saved.exists():
        raise UnusableInputError(f"{saved} is there already: give --save-model a new name, or remove that file")
    clusters = out.with_suffix(".clusters.parquet")
    for made in (out, clusters):
        not_over(made, *tables)
    spec = load_spec(model)
    for made in (out, clusters, *([saved] if saved else [])):
        _make_room(made)
    found = link_tables(spec, tables)
    found.pairs.write_parquet(out)
    found.clusters.write_parquet(clusters)
    if saved is not None:
        save_model(spec, found.model, saved)
    yield from _counts(found)
    yield f"Pairs: {out}; clusters: {clusters}" + (f"; the model with its numbers: {saved}" if saved else "")
    yield f"Next: look at the pairs with status 'review' and 'refused' in {out}"


def _make_room(made: Path) -> None:
    """Makes the folder of a file to write, before the work and not after it."""
    if made.is_dir():
        raise UnusableInputError(f"{made} is a folder: give the name of a file to write to")
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInputError(f"{made} cannot be written: the folder {made.parent} cannot be made ({error.strerror})") from None


def _counts(found: Linkage) -> Iterator[str]:
    rows = found.clusters.group_by("table", maintain_order=True).len().iter_rows()
    yield f"{', '.join(f'{table}: {count:,} rows' for table, count in rows)}; {found.compared:,} pairs compared"
    yield "Blocking rules (pairs possible, pairs not found by a rule before):"
    for rule, possible, new in found.blocking.select("rule", "pairs_possible", "pairs_new").iter_rows():
        yield f"  {rule}: {possible:,}, {new:,}"
    for note in found.notes:
        yield f"Note: {note}"
    status = dict(found.pairs.group_by("status").len().iter_rows())
    sizes = [size for size in found.clusters.group_by("cluster").len()["len"].to_list() if size > 1]
    yield (
        f"{status.get('link', 0):,} pairs linked, {status.get('review', 0):,} doubtful, {status.get('refused', 0):,} refused; "
        f"{len(sizes):,} clusters of several rows, the largest of {max(sizes, default=1):,}"
    )
