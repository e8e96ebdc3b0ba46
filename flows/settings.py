"""Paths, dates and switches of a run: the only reader of the environment and of the clock.

Enters: command-line words and environment variables. Leaves: `Night`, the settings of one run.

Environment:
    CHILDFLOW_WORKERS: stations of one kind at work at once (default 2).
    CHILDFLOW_MEMORY: DuckDB's memory limit, such as `4GB` (default 4GB); what does not fit goes to the spill folder.
    CHILDFLOW_SPILL: folder for what does not fit into memory (default beside the register).
    CHILDFLOW_KEEP: registers kept to go back to (default 7).
    CHILDFLOW_KEEP_WORK: `1` keeps the run's intermediate tables.
    CHILDFLOW_RUNNER: where the heavy stations work: `threads` of this process (default), `dask` for CHILDFLOW_WORKERS processes on this machine, or
        the address of a Dask scheduler such as `tls://10.1.2.3:8786` (docs/cluster.md).
    CHILDFLOW_PASSWORD_FILE: file whose first line is the password that locks every workbook handed out; without it they are open.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

# where the heavy stations work: in threads of the run's own process, or in processes that Dask starts beside it
THREADS, DASK = "threads", "dask"
CITY_TIME = ZoneInfo("Asia/Shanghai")
# the days that may be asked about
_DAYS = (date(2000, 1, 1), date(2100, 12, 31))
# polars' allocator hands memory back half a second after its last use, and fetches it again page by page: three seconds spare a twelfth of standardising. Read when polars is loaded
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:3000,muzzy_decay_ms:0")


class UnusableInputError(Exception):
    """The words or files given cannot be used; exit code 2. The message names what, and what to do."""


def today() -> date:
    """Today's date in the city."""
    return datetime.now(CITY_TIME).date()


def now() -> datetime:
    """This moment in UTC, without a zone mark, as the register keeps times."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def login() -> str:
    """The login of whoever runs this, for the export log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def password(file: Path | None = None) -> str | None:
    """The password for what is handed out: the first line of the file, or of the one that CHILDFLOW_PASSWORD_FILE names; None without either.

    Raises:
        UnusableInputError: the file cannot be read, or its first line is empty or longer than the 255 characters that spreadsheet programs take.
    """
    named = file or (Path(text) if (text := os.environ.get("CHILDFLOW_PASSWORD_FILE")) else None)
    if named is None:
        return None
    try:
        lines = named.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"the password file {named} cannot be read ({type(error).__name__}): give a text file whose first line is the password") from None
    if not lines or not 0 < len(lines[0]) <= 255:
        raise UnusableInputError(f"the first line of the password file {named} must be the password, of 1 to 255 characters")
    return lines[0]


def quiet_prefect() -> None:
    """Turn off Prefect's telemetry and chatter, and give its temporary server time to start; before `import prefect`.

    Raises:
        UnusableInputError: PREFECT_API_URL is no address.
    """
    _name_server()
    for name, value in {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }.items():
        os.environ.setdefault(name, value)


def _name_server() -> None:
    """An empty PREFECT_API_URL names no server."""
    named = os.environ.get("PREFECT_API_URL", "").strip()
    if not named:
        os.environ.pop("PREFECT_API_URL", None)
    elif not re.fullmatch(r"https?://(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?(/\S*)?", named):
        raise UnusableInputError(f"PREFECT_API_URL takes the address of a Prefect server such as http://127.0.0.1:4200/api, not '{named}'")


def quiet_dask(processes: int) -> None:
    """Warnings only, no page, and the cores shared between the processes; before Dask is loaded, and for the processes that it starts."""
    cores = max(1, (os.cpu_count() or 1) // processes)
    for name, value in {
        "DASK_LOGGING__DISTRIBUTED": "warning",
        "DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON__POLARS_MAX_THREADS": str(cores),
    }.items():
        os.environ.setdefault(name, value)


def code_version() -> str:
    """The package's version, and the commit where the code lies in a git checkout."""
    here = Path(__file__).resolve().parent
    found = subprocess.run(["git", "-C", str(here), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    commit = found.stdout.strip()
    return f"{version('childflow')}+{commit}" if commit else version("childflow")


def parse_day(text: str | None, what: str) -> date:
    """An ISO date, today when none is given.

    Raises:
        UnusableInputError: the text is no ISO date, or of a day so far away that nothing can be reckoned back or ahead from it.
    """
    if text is None:
        return today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UnusableInputError(f"{what} takes a date such as 2026-11-24, not '{text}'") from None
    first, last = _DAYS
    if not first <= day <= last:
        raise UnusableInputError(f"{what} takes a date from {first} to {last}, not {day}")
    return day


def memory_limit() -> str:
    """DuckDB's memory limit.

    Raises:
        UnusableInputError: CHILDFLOW_MEMORY is no size.
    """
    text = os.environ.get("CHILDFLOW_MEMORY", "4GB").strip()
    if not re.fullmatch(r"(?=.*[1-9])\d+(\.\d+)?\s*[KMGT]i?B", text, re.IGNORECASE):
        raise UnusableInputError(f"CHILDFLOW_MEMORY takes a size such as 4GB or 800MiB, not '{text}'")
    return text


def _from_one(name: str, default: int) -> int:
    """A whole number from 1 of the environment.

    Raises:
        UnusableInputError: it is none.
    """
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise UnusableInputError(f"{name} takes a whole number from 1, not '{text}'")
    return int(text)


def workers() -> int:
    """Stations of one kind at work at once.

    Raises:
        UnusableInputError: CHILDFLOW_WORKERS is no number from 1.
    """
    return _from_one("CHILDFLOW_WORKERS", 2)


def kept_versions() -> int:
    """Registers kept to go back to.

    Raises:
        UnusableInputError: CHILDFLOW_KEEP is no number from 1.
    """
    return _from_one("CHILDFLOW_KEEP", 7)


def spill() -> Path | None:
    """The folder for what does not fit into memory; None where it is to be beside the register."""
    text = os.environ.get("CHILDFLOW_SPILL", "")
    return Path(text).expanduser().absolute() if text else None


def runner() -> str:
    """Where the heavy stations work: `threads`, `dask`, or the address of a Dask scheduler.

    Raises:
        UnusableInputError: CHILDFLOW_RUNNER is none of these.
    """
    text = os.environ.get("CHILDFLOW_RUNNER", THREADS).strip()
    if text not in (THREADS, DASK) and not re.fullmatch(r"(tcp|tls)://\S+:\d+", text):
        raise UnusableInputError(f"CHILDFLOW_RUNNER takes threads, dask, or the address of a Dask scheduler such as tls://10.1.2.3:8786, not '{text}'")
    return text


@dataclass(frozen=True)
class Night:
    """The settings of one run. Paths are absolute; `state` is the folder beside the register that holds versions, store and work."""

    run_id: str
    started_at: datetime
    as_of: date
    inbox: Path
    register: Path
    workers: int
    memory: str
    spill: Path | None
    keep: int
    keep_work: bool
    runner: str

    @property
    def state(self) -> Path:
        """The folder beside the register."""
        return self.register.with_name(f"{self.register.name}.d")

    @property
    def store(self) -> Path:
        """Parsed files, by content."""
        return self.state / "intake"

    @property
    def work(self) -> Path:
        """This run's intermediate tables."""
        return self.state / "work" / self.run_id

    def config_hash(self) -> str:
        """A hash of the settings that could change an answer, beside the rule's and the model's own."""
        return hashlib.sha256(f"{self.as_of}|{self.inbox.name}".encode()).hexdigest()[:16]


def night(inbox: str, register: str, as_of: str | None = None) -> Night:
    """The settings of a run that starts now.

    Raises:
        UnusableInputError: the inbox is not there, or a date or number can't be read.
    """
    folder = Path(inbox).expanduser().resolve()
    if not folder.is_dir():
        raise UnusableInputError(f"there is no inbox folder {inbox}: give the folder that holds education/, household/ and the other feeds")
    # absolute, not resolved: the register is a link to its newest version
    path = Path(register).expanduser().absolute()
    if path.is_dir():
        raise UnusableInputError(f"{register} is a folder: give the register's file name, such as {register}/register.duckdb")
    started = now()
    return Night(
        run_id=f"{started:%Y%m%dT%H%M%S}-{os.getpid():05d}",
        started_at=started,
        as_of=parse_day(as_of, "--as-of"),
        inbox=folder,
        register=path,
        workers=workers(),
        memory=memory_limit(),
        spill=spill(),
        keep=kept_versions(),
        keep_work=os.environ.get("CHILDFLOW_KEEP_WORK", "") == "1",
        runner=runner(),
    )
