"""The architecture kept honest: what a reader of docs would otherwise have to believe."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("flows", "matching", "schemas", "rules", "publish", "sample_data")
MODULES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "misc", "manager"}


def test_there_are_modules_to_look_at():
    assert len(MODULES) > 40


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module_is_one_sitting_and_says_what_it_is(module):
    text = module.read_text("utf-8")
    assert text.count("\n") <= 350, "more than one sitting: split it"
    assert module.stem not in FORBIDDEN_NAMES
    tree = ast.parse(text)
    if module.name != "__init__.py":
        assert ast.get_docstring(tree), "the first line says what enters and what leaves"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, f"{node.name} is more than one thought"


def test_a_file_of_flows_is_never_named_like_a_package():
    assert not {p.stem for p in (ROOT / "flows").glob("*.py")} & (set(ROOMS) - {"flows"})


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_settings_reads_the_clock_and_the_environment(module):
    if module == ROOT / "flows" / "settings.py":
        return
    text = module.read_text("utf-8")
    found = re.findall(r"date\.today\(|datetime\.now\(|datetime\.utcnow\(|os\.environ|os\.getenv", text)
    assert not found, f"{found}: ask flows/settings.py"


def test_the_lock_names_no_registry_and_has_hashes():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "http://" not in lock and "https://" not in lock and "--index-url" not in lock
    pins = [line for line in lock.splitlines() if re.match(r"^[a-z0-9._-]+(\[[a-z,]+\])?==", line, re.I)]
    assert len(pins) > 50
    assert lock.count("--hash=sha256:") >= len(pins)


def test_nothing_checked_in_names_a_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    files = [ROOT / f for f in listed if f and (ROOT / f).is_file() and (ROOT / f).suffix in {".py", ".md", ".yaml", ".toml", ".sql", ".j2", ""}]
    pattern = re.compile(r"(?<![\w.])/" + r"(?:work|root|farm|home/[a-z]+)/")
    named = [f"{f.relative_to(ROOT)}: {m.group()}" for f in files for m in [pattern.search(f.read_text('utf-8', errors='replace'))] if m]
    assert not named
