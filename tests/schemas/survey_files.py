"""Exports of the survey for tests that ask which of them are in use: by name, and rows by key and name."""

from __future__ import annotations

from tests.schemas.intake_desk import as_file, grid, valid_row


def rows(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    """Survey rows by (key, name)."""
    return [valid_row("survey", record_key=k, name=n) for k, n in pairs]


def put(desk, name, *pairs, **more):
    return desk.put("survey", name, as_file(grid("survey", rows(*pairs)), name.rpartition(".")[2].lower()), **more)


def names(taken) -> list[str]:
    return sorted(taken.accepted["name"])


def states(taken) -> dict[str, str]:
    return dict(taken.receipts.select("source_file", "state").iter_rows())
