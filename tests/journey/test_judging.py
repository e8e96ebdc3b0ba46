"""Commands that judge the register of the small city and its model: evaluate, train, and why two children are two."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from flows.cli import main
from flows.evaluate import evaluation
from flows.explain_pair import apart
from flows.settings import UnusableInputError
from flows.train import training
from matching.model import load_model
from tests.journey.conftest import TINY


def test_evaluate_tells_blocking_calibration_thresholds_and_writes_charts(tiny_register: Path, tmp_path: Path) -> None:
    lines = "\n".join(evaluation(tiny_register, TINY / "truth", tmp_path))
    assert "blocking finds " in lines
    assert "the weights before clustering, pairs with a side that has no number" in lines
    assert "linked from 95.0% on: precision " in lines
    assert f"charts: {tmp_path / 'calibration.svg'}, {tmp_path / 'thresholds.svg'}" in lines
    assert (tmp_path / "thresholds.svg").stat().st_size > 5000


def test_evaluate_without_a_truth_tells_what_clerks_decided(tiny_register: Path) -> None:
    lines = list(evaluation(tiny_register, None))
    with duckdb.connect(str(tiny_register.resolve()), read_only=True) as con:
        (doubtful,) = con.execute("SELECT count(*) FROM review_queue").fetchone() or (0,)
    assert lines[0] == f"No truth given: {tiny_register} is judged by what clerks decided"
    assert sum(int(line.split(": ")[1].split(",")[0]) for line in lines if "% to " in line) == doubtful
    assert "  nobody has decided a pair yet: nothing can be said of the others" in lines
    assert lines[-1].startswith("Next: decide more of them: childflow review export --register ")
    with pytest.raises(UnusableInputError, match="--plots needs --truth: without a truth nobody knows which pairs are right"):
        list(evaluation(tiny_register, None, tiny_register.parent))


def test_train_writes_a_model_that_says_its_source_and_never_over_another(tiny_register: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "model.yaml"
    lines = list(training(tiny_register, TINY / "truth", out, 5000))
    model, before = load_model(out), load_model()
    assert model.version == before.version + 1
    assert "labelled by the truth of a made-up city (childflow sample --children " in model.trained_on
    assert any(line.startswith("    same_sound     m 0.02 -> 0.0") for line in lines)
    assert "  id_number: nothing to learn it from, stays as it is" in lines
    with pytest.raises(UnusableInputError, match=r"model.yaml is there already, and a model is never overwritten: give --out a new name"):
        list(training(tiny_register, None, out, 5000))
    with pytest.raises(UnusableInputError, match=r"there is no .*records.parquet: give the truth/ folder that 'childflow sample' wrote"):
        list(training(tiny_register, tmp_path, tmp_path / "other.yaml", 5000))
    assert not (tmp_path / "other.yaml").exists()


def test_why_two_children_are_two_is_told_in_both_languages(tiny_register: Path) -> None:
    with duckdb.connect(str(tiny_register.resolve()), read_only=True) as con:
        ((left,), (right,)) = con.execute("SELECT person_id FROM person WHERE id_number_status = 'valid' ORDER BY person_id LIMIT 2").fetchall()
    english, chinese = list(apart(tiny_register, left, right, "en")), list(apart(tiny_register, left, right, "zh"))
    assert english[0] == f"Why {left} and {right} are two"
    assert chinese[0] == f"{left} 与 {right} 为何是两人"
    assert "  each has a valid number of its own and they differ: only a clerk, or a change the household register shows, may join them" in english
    assert "  双方各有一个有效的本人证件号，且不同，须经人工核对或户籍登记证明变更才可合并" in chinese
    weights = [float(line.split()[0]) for line in english if line.startswith("      ")]
    (together,) = (float(line.split()[2].rstrip(",")) for line in english if line.startswith("  = together"))
    assert sum(weights) == pytest.approx(together, abs=0.3)
    assert english[-1].startswith("Next: ")
    with pytest.raises(UnusableInputError, match=f"--and takes another person than {left}"):
        list(apart(tiny_register, left, left, "en"))


def test_a_file_that_is_no_workbook_of_decisions_ends_with_2(tiny_register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "review.xlsx").write_text("no workbook", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["childflow", "review", "import", "--register", str(tiny_register), str(tmp_path / "review.xlsx")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "review.xlsx：打不开，不是 xlsx 工作簿" in capsys.readouterr().err
