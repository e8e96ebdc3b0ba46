"""Commands that hand out: sheets to be filled in and sent back, batches, copies. Enters: words of a command line. Leaves: files, and what to do with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.options import OutFolder, PasswordFile, RegisterFile, existing, not_over, sender

sheets = typer.Typer()


@sheets.command("survey-sheets")
def survey_sheets(register: RegisterFile, out: OutFolder, password_file: PasswordFile = None) -> None:
    """The quarter's survey: a sheet per town, and village where known, of the children to look for."""
    from publish.survey_sheets import write_survey_sheets

    written = write_survey_sheets(existing(register), out, sender(password_file))
    typer.echo(f"{len(written)} survey sheets with {sum(h.items for h in written):,} children in {out}")
    typer.echo("Next: send each to its town; put the filled ones into INBOX/survey/ as survey_<YYYYMMDD>_<quarter>_<place>.xlsx")


@sheets.command("visit-sheets")
def visit_sheets(register: RegisterFile, out: OutFolder, password_file: PasswordFile = None) -> None:
    """Visits to key-care children: a sheet per district, most overdue first."""
    from publish.visit_sheets import write_visit_sheets

    written = write_visit_sheets(existing(register), out, sender(password_file))
    typer.echo(f"{len(written)} visit sheets with {sum(h.items for h in written):,} children in {out}")
    typer.echo("Next: send each to its district; put the filled ones into INBOX/visit/ as visit_<YYYYMMDD>_<place>.xlsx")


@sheets.command("alert-sheets")
def alert_sheets(register: RegisterFile, out: OutFolder, password_file: PasswordFile = None) -> None:
    """Alerts on children whom no roster lists: a workbook per district, for its civil affairs."""
    from publish.alert_sheets import write_alert_sheets

    written = write_alert_sheets(existing(register), out, sender(password_file))
    typer.echo(f"{len(written)} workbooks with alerts on {sum(h.items for h in written):,} children in {out}")
    typer.echo("Next: send each to the civil affairs of its district; an alert closes once a later run no longer finds its cause")


@sheets.command()
def exchange(register: RegisterFile, out: OutFolder, password_file: PasswordFile = None) -> None:
    """Notices for every other district and province that shares a child with us, and where its answer differs from ours."""
    from publish.exchange import write_exchange

    written = write_exchange(existing(register), out, sender(password_file))
    typer.echo(f"{len(written)} workbooks in {out}")
    typer.echo("Next: send each notice to its place; put the answers into INBOX/exchange_reply/ as exchange_reply_<YYYYMMDD>_<place>.xlsx")


@sheets.command()
def national(
    register: RegisterFile,
    out: OutFolder,
    csv: Annotated[bool, typer.Option("--csv", help="A CSV instead of a workbook; no password locks it.")] = False,
    password_file: PasswordFile = None,
) -> None:
    """The next batch for the national system: children it does not know yet, or knows otherwise."""
    from publish.national import write_national

    batch = write_national(existing(register), out, sender(password_file), as_csv=csv)
    typer.echo("Entries in the national system before this batch: " + ", ".join(f"{count:,} {state}" for state, count in batch.states.items()))
    if batch.file is None:
        typer.echo("Nothing to send")
        typer.echo("Next: there is nothing to enter; give the command again after the next run")
        return
    typer.echo(f"{batch.children:,} children in {out / batch.file}")
    typer.echo("Next: enter them; put the filled workbook into INBOX/national_receipt/ as national_receipt_<YYYYMMDD>_<batch>.xlsx")


@sheets.command()
def pseudonymise(
    register: RegisterFile,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The DuckDB file to write.")],
    key_file: Annotated[Path, typer.Option("--key-file", help="File that holds the key: the same key gives the same pseudonyms.")],
) -> None:
    """A copy of the register for analysts: no names, numbers, phones or addresses; the same child under the same pseudonym."""
    from publish.pseudonyms import pseudonymise as copy

    children = copy(existing(register), not_over(out, register, key_file), existing(key_file, "give a file that holds the key").read_bytes().strip(), sender(None))
    typer.echo(f"{children:,} children in {out}")
    typer.echo("Next: give the copy to analysts, never the key; docs/queries.md has queries to begin with")
