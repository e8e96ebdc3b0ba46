"""A copy of the register for analysts, without whatever names a child. Enters: the register and a key. Leaves: a DuckDB file of its own.

What is in it is data: publish/fields/pseudonymised.yaml. Identifiers become HMAC-SHA256 (RFC 2104) under the key: the same child has the same pseudonym in every
copy made with it, joins work, and without the key nobody can go back or try out guesses. What remains is personal data still (GB/T 37964: pseudonymised, not
anonymous): a birth month, a district and a date may single out a child whom one knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from publish.build import MACROS, safe_settings
from publish.comments import comment, comments, literal, quoted
from publish.handing import Handout, Sender, Tray
from publish.layout import FOLDER, allow, expect, read
from publish.ledger import SQL, parameters, statements
from publish.reading import newest_run
from publish.register import connect
from publish.swap import remove
from publish.views import VIEWS, create_view
from schemas.tables.register import REGISTER_TABLES
from schemas.tables.table import Table

_LAYOUT = FOLDER / "pseudonymised.yaml"
SHORTEST_KEY = 32  # bytes: the strength of the hash
_BLOCK = 64  # bytes of a block of SHA-256
PURPOSE = "统计分析（去标识化副本）"
# left 24 hexadecimal digits: 96 bits, so that among 100 million values two alike are less likely than one in a trillion
_KEYED = """
CREATE TEMP MACRO keyed(value) AS
    'K' || left(sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || encode(value::VARCHAR)))), 24)
"""
_ACTIONS = {"keep": "{}", "keyed": "keyed({})", "month": "date_trunc('month', {})::DATE"}


class KeyUnusableError(Exception):
    """The key is too short to protect anything."""


@dataclass(frozen=True)
class Policy:
    """What the copy holds: per table each column and what becomes of it, and the views."""

    tables: Mapping[str, Mapping[str, str]]
    views: tuple[str, ...]

    @classmethod
    def load(cls, path: Path = _LAYOUT) -> Policy:
        """The policy of publish/fields/pseudonymised.yaml.

        Raises:
            LayoutError: a table, column or view is unknown, or a column stands twice.
        """
        raw = read(path)
        expect(raw, {"tables", "views"}, path.name)
        known = {table.name: table for table in REGISTER_TABLES}
        allow(raw["tables"], known, f"{path.name}, tables")
        allow(raw["views"], [view.name for view in VIEWS], f"{path.name}, views")
        tables = {}
        for name, entry in raw["tables"].items():
            where = f"{path.name}, tables/{name}"
            allow(entry, _ACTIONS, where)
            allow([column for columns in entry.values() for column in columns], known[name].names, where)
            tables[name] = {column: action for action, columns in entry.items() for column in columns}
        return cls(tables, tuple(raw["views"]))


def pseudonymise(register: Path, out: Path, key: bytes, sender: Sender) -> int:
    """Write the copy, whole or not at all; returns how many children are in it.

    Raises:
        KeyUnusableError: the key is shorter than SHORTEST_KEY bytes.
        LayoutError: publish/fields/pseudonymised.yaml cannot be used.
        RegisterUnreadableError: there is no register to copy.
    """
    if len(key) < SHORTEST_KEY:
        raise KeyUnusableError(f"the key has {len(key)} bytes, at least {SHORTEST_KEY} are needed: make one with 'openssl rand -hex 32 > key', and keep it from analysts")
    policy = Policy.load()
    _, as_of = newest_run(register)
    connect(register).close()
    part = out.with_name(f".{out.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    remove(part)
    try:
        with duckdb.connect(str(part)) as con:
            safe_settings(con, part.with_suffix(".spill"), "4GB")
            con.execute(f"ATTACH {literal(str(register.resolve()))} AS register (READ_ONLY)")
            _set_key(con, key)
            for table in REGISTER_TABLES:
                if table.name in policy.tables:
                    _copy(con, table, policy.tables[table.name])
            _describe(con, policy)
            ((children,),) = con.execute("SELECT count(*) FROM person").fetchall()
            con.execute("DETACH register")
            con.execute("CHECKPOINT")
        part.replace(out)
    finally:
        remove(part)
        remove(part.with_name(f"{part.name}.wal"))
        remove(part.with_suffix(".spill"))
    tray = Tray(register, out.parent, sender)
    tray.there(Handout("copy", out.name, "", "统计分析人员", None, as_of, PURPOSE, int(children), tuple(sorted(policy.tables))))
    tray.close()
    return int(children)


def _set_key(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """The two pads of RFC 2104 as variables of the connection, which no file keeps."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    con.execute("SET VARIABLE inner_pad = ?::BLOB", [bytes(b ^ 0x36 for b in block)])
    con.execute("SET VARIABLE outer_pad = ?::BLOB", [bytes(b ^ 0x5C for b in block)])
    con.execute(_KEYED)


def _copy(con: duckdb.DuckDBPyConnection, table: Table, columns: Mapping[str, str]) -> None:
    """The table's rows in the order of what is left of them, so that their place says nothing."""
    wanted = [c.name for c in table.columns if c.name in columns]
    cells = ", ".join(f"{_ACTIONS[columns[name]].format(quoted(name))} AS {quoted(name)}" for name in wanted)
    con.execute(f"CREATE TABLE {quoted(table.name)} AS SELECT {cells} FROM register.{quoted(table.name)} ORDER BY ALL")
    left = tuple(c for c in table.columns if c.name in columns)
    con.execute(";\n".join(comments("TABLE", table.name, table.zh, table.en, left)))


def _describe(con: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """The views and the macros of the ledger, with their comments."""
    for view in VIEWS:
        if view.name in policy.views:
            con.execute(create_view(view.name))
            con.execute(";\n".join(comments("VIEW", view.name, view.zh, view.en, view.columns)))
    for statement in statements(SQL / "register" / "listed_on.sql"):
        con.execute(statement, parameters(statement, {}))
    for name, meaning in MACROS.items():
        con.execute(f"COMMENT ON MACRO TABLE {name} IS {literal(meaning)}")
    con.execute(f"COMMENT ON TABLE person IS {literal(comment('去标识化副本：编码为加密摘要，出生日期只到月', 'pseudonymised copy: identifiers are keyed, birth dates to the month'))}")
