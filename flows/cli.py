"""The `childflow` command. Enters: words on a command line. Leaves: a run, a city, an answer; exit codes 0, 2 (arguments or input), 1 (a fault of ours)."""

from __future__ import annotations

import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.options import OutFolder, PasswordFile, RegisterFile, existing, not_over, person_code, readable, sender, typed
from flows.settings import UnusableInputError, parse_day, quiet_prefect
from flows.sheets import sheets

app = typer.Typer(
    name="childflow", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Finds migrant children (流动儿童) in the departments' exports and keeps the register, rosters and alerts.",
)  # fmt: skip
review = typer.Typer(no_args_is_help=True, help="Possible matches: out to a clerk as a workbook, decisions back in.")
app.add_typer(review, name="review")
app.add_typer(sheets)


class Language(StrEnum):
    """The languages an answer is given in."""

    EN = "en"
    ZH = "zh"


@app.command()
def sample(
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write inbox/ and truth/ into.")],
    children: Annotated[int, typer.Option(min=1, help="How many children.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same city.")] = 20241101,
    rates: Annotated[Path | None, typer.Option(help="YAML file with rates of damage that differ from sample_data/rates.yaml.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day the truth is told for, such as 2026-11-24; default today.")] = None,
    move_to: Annotated[str | None, typer.Option("--move-to", help="Write no city, but let the one in --out go on to this later day.")] = None,
    resources: Annotated[bool, typer.Option("--resources", help="Also the optional input: places that offer help.")] = False,
) -> None:
    """Write a made-up city: what the departments would send, and the truth behind it, as of a day."""
    from sample_data.changes import move
    from sample_data.city import write_city
    from sample_data.moving import MovingCity

    if move_to is not None:
        files = move(MovingCity.load(out), parse_day(move_to, "--move-to"))
        typer.echo(f"{files} files sent anew up to {move_to}: {out / 'inbox'}; what happened to whom: {out / 'truth' / 'changes.parquet'}")
        typer.echo(f"Next: childflow run --inbox {typed(out / 'inbox')} --register {typed(out / 'register.duckdb')} --as-of {move_to}")
        return
    day = parse_day(as_of, "--as-of")
    written = write_city(children, seed, out, rates=rates, as_of=day, resources=resources)
    typer.echo(f"{written.children:,} children, {written.rows:,} rows in {written.files} files: {out / 'inbox'}; the truth: {out / 'truth'}")
    typer.echo(f"Next: childflow run --inbox {typed(out / 'inbox')} --register {typed(out / 'register.duckdb')} --as-of {day}")


@app.command()
def run(
    inbox: Annotated[Path, typer.Option(help="Folder with one folder per feed.")],
    register: RegisterFile,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day the rule is applied for, such as 2026-11-24; default today.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Go through all stations even where nothing has changed since the last run.")] = False,
) -> None:
    """The nightly run. Shows in Prefect when PREFECT_API_URL names a server; needs none. Where nothing has changed since the last run, its tables stand."""
    quiet_prefect()
    from flows import findings
    from flows.nightly import nightly
    from flows.settings import THREADS, runner
    from flows.track import server_answers

    start = nightly if server_answers() or runner() != THREADS else nightly.fn
    for line in findings.lines(start(str(inbox), str(register), as_of, anew)):
        typer.echo(line)


@app.command()
def evaluate(
    register: RegisterFile,
    truth: Annotated[Path | None, typer.Option(help="The truth/ folder of a made-up city; without it, what clerks decided is all there is to judge by.")] = None,
    plots: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for charts of calibration and thresholds (SVG).")] = None,
) -> None:
    """Precision, recall and F1 of the linkage and of the outcome against a known truth; calibration, thresholds and blocking recall."""
    from flows.evaluate import evaluation

    for line in evaluation(existing(register), truth, plots):
        typer.echo(line)


@app.command()
def explain(
    person_id: Annotated[str, typer.Argument(help="The child, as in the register's person table.")],
    register: RegisterFile,
    lang: Annotated[Language, typer.Option(help="The language of the answer.")] = Language.EN,
    other: Annotated[str | None, typer.Option("--and", help="Another person: why the two are not one.")] = None,
) -> None:
    """Why: the records linked and their weights, the residence timeline, each condition with its article and answer; with --and, why two are not one."""
    from flows.explain import story
    from flows.explain_pair import apart

    file, child = readable(register), person_code(person_id)
    for line in story(file, child, lang.value) if other is None else apart(file, child, person_code(other), lang.value):
        typer.echo(line)


@app.command()
def whatif(
    register: RegisterFile,
    changes: Annotated[list[str], typer.Option("--set", help="NAME=VALUE: months=5, zone=+500116,-500113, age=14, or topic/parameter=VALUE; may be given again.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day the rule is applied for; default the register's own.")] = None,
    lang: Annotated[Language, typer.Option(help="The language of the answer.")] = Language.EN,
) -> None:
    """How many children would enter and leave, by district, if the law were another. The register is not touched."""
    from flows.whatif import whatif as asked

    for line in asked(existing(register), changes, parse_day(as_of, "--as-of") if as_of else None, lang.value):
        typer.echo(line)


@app.command()
def rosters(register: RegisterFile, out: OutFolder, password_file: PasswordFile = None) -> None:
    """The workbooks for each district and each department."""
    from publish.rosters import write_rosters

    written = write_rosters(existing(register), out, sender(password_file))
    typer.echo(f"{len(written)} rosters in {out}")
    typer.echo("Next: send each to its department; put the answered ones into INBOX/verification/ as verification_<YYYYMMDD>_<anything>.xlsx")


@app.command("mandatory-reports")
def mandatory_reports(register: RegisterFile, out: OutFolder, password_file: PasswordFile = None) -> None:
    """Children of whom the police are to be told at once (强制报告), a workbook for each district."""
    from publish.mandatory_reports import write_mandatory_reports

    written = write_mandatory_reports(existing(register), out, sender(password_file))
    typer.echo(f"{len(written)} workbooks, {sum(handout.items for handout in written)} children, in {out}")
    typer.echo("Next: send each to the district's police at once, by telephone first; enter when they were told on the visit sheet")


@review.command("export")
def review_export(register: RegisterFile, out: Annotated[Path, typer.Option(dir_okay=False, help="The workbook to write.")], password_file: PasswordFile = None) -> None:
    """Write the possible matches side by side."""
    from publish.review import export_workbook

    pairs = export_workbook(existing(register), not_over(out, register), sender(password_file))
    typer.echo(f"{pairs} possible matches in {out}")
    typer.echo(f"Next: fill in the decisions, then: childflow review import --register {typed(register)} {typed(out)}")


@review.command("import")
def review_import(register: RegisterFile, workbook: Annotated[Path, typer.Argument(help="The workbook with decisions filled in.")]) -> None:
    """Take the decisions in; they bind every later run."""
    from publish.review import import_decisions

    taken = import_decisions(existing(workbook, "give the workbook that 'childflow review export' wrote, filled in"), existing(register))
    for problem in taken.problems:
        typer.echo(problem, err=True)
    for remark in taken.remarks:
        typer.echo(remark)
    typer.echo(f"{taken.accepted} decisions taken in, {len(taken.problems)} not")
    typer.echo("Next: the decisions count from the next run on: childflow run --inbox INBOX --register " + typed(register))


@app.command("train")
def train_command(
    register: RegisterFile,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The model file to write; never one that is there.")],
    truth: Annotated[Path | None, typer.Option(help="The truth/ folder of a made-up city; without it the rows' own numbers and clerks' decisions teach.")] = None,
    weight: Annotated[float, typer.Option(min=1, help="Pairs that the present numbers are worth.")] = 5000,
) -> None:
    """Re-estimate the numbers of the children's linkage model, and show what changed."""
    from flows.train import training

    for line in training(existing(register), truth, out, weight):
        typer.echo(line)


@app.command("link")
def link_command(
    tables: Annotated[list[Path], typer.Argument(help="One table to deduplicate, or two to link: .csv, .tsv or .parquet.")],
    model: Annotated[Path, typer.Option(help="YAML file that names columns, blocking rules and comparisons: docs/linking.md.")],
    out: Annotated[Path, typer.Option(help="The Parquet file of pairs to write; the clusters go beside it.")],
    save_model: Annotated[Path | None, typer.Option("--save-model", dir_okay=False, help="Write the model with the numbers that were found.")] = None,
) -> None:
    """The linkage engine alone, on anybody's tables."""
    from flows.link import linking

    for line in linking(model, tables, out, save_model):
        typer.echo(line)


@app.command()
def rollback(
    register: RegisterFile,
    to: Annotated[str | None, typer.Option("--to", help="The run to go back to; default the one before the one in use.")] = None,
) -> None:
    """Point the register back at an earlier run that is kept; the next run goes on from there."""
    from publish.register import rollback as point_back
    from publish.register import versions

    if not register.is_symlink() and not versions(register.absolute()):
        existing(register)
    version = point_back(register, to)
    typer.echo(f"{register} is now {version.name}; readers that open it from now on see that run")
    typer.echo("Next: mend what was wrong, then run again: childflow run --inbox INBOX --register " + typed(register))


@app.command()
def doctor(
    inbox: Annotated[Path, typer.Option(help="Folder with one folder per feed.")],
    register: RegisterFile,
) -> None:
    """Look at inbox, register, disk, versions and Prefect, and say what is wrong and what to do. Exit code 1 where tonight's run would fail."""
    quiet_prefect()
    from flows.doctor import examine
    from flows.settings import today

    stops = 0
    for finding in examine(inbox, register, today()):
        typer.echo(finding.line())
        stops += finding.state == "stop"
    if stops:
        typer.echo(f"Next: mend the {stops} marked STOP, then look again: childflow doctor --inbox {typed(inbox)} --register {typed(register)}")
        raise typer.Exit(1)
    typer.echo(f"Next: childflow run --inbox {typed(inbox)} --register {typed(register)}")


def unusable() -> tuple[type[Exception], ...]:
    """The errors that are about what was given, not about us."""
    from matching.evaluation import TruthMismatchError
    from matching.explain import UnknownPersonError
    from matching.tables.spec_levels import LinkError
    from publish.kept import KeptUnreadableError
    from publish.layout import LayoutError
    from publish.pseudonyms import KeyUnusableError
    from publish.register import RegisterUnreadableError, VersionUnknownError
    from publish.review import WorkbookUnusableError
    from publish.roster_fields import RosterLayoutError
    from rules.kept import FactsNotKeptError
    from rules.law_file import LawError
    from sample_data.rates import CityError

    ours = (UnusableInputError, CityError, LinkError, UnknownPersonError, TruthMismatchError)
    return (*ours, RegisterUnreadableError, VersionUnknownError, WorkbookUnusableError, LawError, LayoutError, RosterLayoutError, KeyUnusableError, FactsNotKeptError, KeptUnreadableError)


def main() -> None:
    """Entry point: turns errors into words and exit codes."""
    try:
        app(standalone_mode=True)
    except BaseException as error:
        from flows.faults import damaged_register, is_panic

        if not isinstance(error, Exception) and not is_panic(error):
            raise
        if isinstance(error, unusable()):
            sys.stderr.write(f"childflow: {error}\n")
            raise SystemExit(2) from None
        if isinstance(error, PermissionError | NotADirectoryError | IsADirectoryError | FileExistsError) and error.filename is not None:
            stands = "".join(f"; {note}" for note in _notes(error))
            sys.stderr.write(f"childflow: {error.filename} cannot be used ({error.strerror}){stands}: look at the path and at who may read and write it, then give the command again\n")
            raise SystemExit(2) from None
        if said := damaged_register(error):
            sys.stderr.write(f"childflow: {said}\n")
            raise SystemExit(2) from None
        sys.stderr.write(f"childflow: {in_words(error)}\n")
        raise SystemExit(1) from None


def in_words(error: BaseException) -> str:
    """An error of ours as written; any other by kind and place only, for its text may quote a person's values."""
    if type(error).__module__.split(".")[0] in {"flows", "matching", "schemas", "rules", "publish", "sample_data"}:
        return str(error)
    from flows.faults import DISK, what_ran_out

    stands = "; ".join(_notes(error)) or "the last register stands"
    if lacking := what_ran_out(error):
        more = "the disk is full: free space, or give a place on another disk" if lacking == DISK else "memory ran out: end what else needs it"
        return f"{more}, then give the command again; {stands}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    detail = f": {error.strerror}: {error.filename}" if isinstance(error, OSError) else ""
    return f"broke through a fault of ours ({type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}{detail}); {stands}"


def _notes(error: BaseException) -> list[str]:
    """What a station said of its error on the way: what the fault leaves untouched. Any other note may quote a value."""
    if not (given := getattr(error, "__notes__", ())):
        return []
    from flows.track import PUBLISHED, STANDS

    return [said for said in (STANDS, PUBLISHED) if said in given]


if __name__ == "__main__":
    main()
