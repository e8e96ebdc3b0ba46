"""What the commands have in common. Enters: words of a command line. Leaves: options by type, paths that are there, and who hands out."""

from __future__ import annotations

import shlex
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.settings import UnusableInputError, login, now, password

if TYPE_CHECKING:
    from publish.handing import Sender

RegisterFile = Annotated[Path, typer.Option("--register", help="The register's file.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File whose first line locks the workbooks; else CHILDFLOW_PASSWORD_FILE, else they are open.")
]
OutFolder = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the workbooks.")]


def sender(password_file: Path | None) -> Sender:
    """Whoever gave the command, now, with the password of the file or the environment."""
    from publish.handing import Sender

    return Sender(login(), now(), password(password_file))


def typed(path: Path | str) -> str:
    """A path as a shell takes it, blanks and all: commands that are proposed can be copied."""
    return shlex.quote(str(path))


def existing(path: Path, otherwise: str = "run 'childflow run' first, or give another path") -> Path:
    """The path, when something is there.

    Args:
        otherwise: what to do where nothing is.

    Raises:
        UnusableInputError: nothing is there.
    """
    from publish.register import versions

    if not path.exists() and (path.is_symlink() or versions(path.absolute())):
        raise UnusableInputError(f"{path} is gone, or a link that leads nowhere: 'childflow rollback --register {typed(path)}' points a register at the newest run that is kept")
    if not path.exists():
        raise UnusableInputError(f"there is no file {path}: {otherwise}")
    return path


def readable(register: Path) -> Path:
    """The path, when a register that can be read lies there.

    Raises:
        UnusableInputError: nothing is there. RegisterUnreadableError: what is there is no register, or cannot be read now.
    """
    from publish.register import connect

    connect(existing(register)).close()
    return register


def person_code(typed: str) -> str:
    """A child's code as the register has it, however it was typed or pasted: in small letters, full-width, with blanks."""
    return "".join(unicodedata.normalize("NFKC", typed).split()).upper()


def not_over(out: Path, *given: Path) -> Path:
    """The file to write, when it is none of those that are given.

    Raises:
        UnusableInputError: writing it would destroy one of them.
    """
    for path in given:
        if out.resolve() == path.resolve() or out.absolute() == path.absolute():
            raise UnusableInputError(f"{out} is what was given to read, and is never written over: give another name to write to")
    return out
