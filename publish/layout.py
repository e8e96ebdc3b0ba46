"""Layouts kept as data under publish/fields. Enters: a YAML file. Leaves: its entries, or words that say which one cannot be used and what was allowed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "fields"


class LayoutError(Exception):
    """A file of publish/fields cannot be used; says which entry, and what was allowed."""


def read(path: Path) -> dict[str, Any]:
    """The file's entries.

    Raises:
        LayoutError: it is no YAML, or holds no entries by name.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LayoutError(f"{path.name}: cannot be read ({type(error).__name__})") from None
    if not isinstance(raw, dict):
        raise LayoutError(f"{path.name}: expected entries by name")
    return raw


def expect(entry: Mapping[str, Any], keys: Collection[str], where: str, optional: Collection[str] = ()) -> None:
    """Refuse an entry that lacks one of the keys or has any other.

    Raises:
        LayoutError: says which.
    """
    allow(entry, {*keys, *optional}, where)
    if missing := sorted(set(keys) - set(entry)):
        raise LayoutError(f"{where}: missing: {', '.join(missing)}")


def allow(given: Collection[str], allowed: Collection[str], where: str) -> None:
    """Refuse what is not allowed, or stands there twice.

    Raises:
        LayoutError: says what.
    """
    if unknown := sorted({str(g) for g in given} - set(allowed)):
        raise LayoutError(f"{where}: not allowed: {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}")
    if twice := sorted({g for g in given if list(given).count(g) > 1}):
        raise LayoutError(f"{where}: twice: {', '.join(twice)}")
