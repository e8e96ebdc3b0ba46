"""What the tests of this room share."""

from pathlib import Path

import pytest

from tests.schemas.intake_desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty inbox and store."""
    return Desk(tmp_path)
