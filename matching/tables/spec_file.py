"""A model file as it is written. Enters: a path. Leaves: its mapping, or a `LinkError` that says what is wrong with the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from matching.tables.spec_levels import LinkError
from schemas.one_value import OneValueLoader


def read_body(path: Path) -> dict[str, Any]:
    """The mapping of a model file.

    Raises:
        LinkError: the file is not there, is no YAML, has a key twice, or is no mapping.
    """
    try:
        body = yaml.load(path.read_text(encoding="utf-8"), OneValueLoader)
    except OSError as error:
        raise LinkError(f"{path}: the model cannot be read ({error.strerror}); give a YAML file, see docs/linking.md") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise LinkError(f"{path.name}: is no YAML{where}{f' ({problem})' if problem else ''}; see docs/linking.md for how a model is written") from None
    if not isinstance(body, dict):
        raise LinkError(f"{path.name}: must be a mapping with id, blocking and comparisons, not a {type(body).__name__}")
    return body
