"""The peer: Splink 5 on DuckDB with a careful model. Enters: flat records. Leaves: scored pairs and clusters.

Seven comparisons with Levenshtein levels (DuckDB's Damerau-Levenshtein is 2.5 times slower and no better), term frequencies on names and birthdays;
parameters estimated as Splink's own documentation says: the prior from deterministic rules, u from random pairs, m by expectation maximisation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

TIGHT = (
    ("id_number",), ("birth_certificate",), ("name", "dob"), ("sound", "dob"), ("name", "phone"), ("name", "guardian"), ("dob", "phone"), ("dob", "guardian"),
    ("dob", "guardian_id"),
)  # fmt: skip
# what a user adds who will not miss a child: everybody of one sex born on one day, 40 pairs a record at a million
LOOSE = (*TIGHT, ("dob", "sex"))
# the same with care: rules that say more each
WIDE = (*TIGHT, ("dob", "sex", "district"), ("name", "sex", "district"), ("name", "month"), ("sound", "month"), ("dob", "surname", "sex"))
RULES = {"tight": TIGHT, "wide": WIDE, "loose": LOOSE}
# two ids that are valid and differ, or one day's children of one family whose names neither are nor sound the same
VETO = """
    (is_valid_l AND is_valid_r AND id_number_l <> id_number_r)
    OR (dob_l = dob_r AND list_has_any(guardians_l, guardians_r) AND sound_l <> sound_r AND name_l NOT LIKE '%之_' AND name_r NOT LIKE '%之_')
"""


def settings(rules: tuple[tuple[str, ...], ...]) -> SettingsCreator:
    """The model before training."""
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.CustomComparison(
                output_column_name="name",
                comparison_levels=[
                    cll.NullLevel("name"),
                    cll.ExactMatchLevel("name", term_frequency_adjustments=True),
                    cll.ExactMatchLevel("sound"),
                    cll.LevenshteinLevel("name", 1),
                    cll.ElseLevel(),
                ],
            ),
            cl.CustomComparison(
                output_column_name="dob",
                comparison_levels=[
                    cll.NullLevel("dob"), cll.ExactMatchLevel("dob", term_frequency_adjustments=True), cll.LevenshteinLevel("dob", 1), cll.LevenshteinLevel("dob", 2),
                    cll.ElseLevel(),
                ],
            ),
            cl.ExactMatch("sex"),
            cl.LevenshteinAtThresholds("id_number", [1, 2]),
            cl.ArrayIntersectAtSizes("guardians", [2, 1]),
            cl.ArrayIntersectAtSizes("phones", [1]),
            cl.CustomComparison(
                output_column_name="place",
                comparison_levels=[
                    cll.NullLevel("district"), cll.ExactMatchLevel("address"), cll.ExactMatchLevel("township"), cll.ExactMatchLevel("district"), cll.ElseLevel(),
                ],
            ),
        ],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
        retain_matching_columns=True,
        additional_columns_to_retain=["is_valid"],
    )  # fmt: skip


def linker(flat: Path, model: SettingsCreator | str) -> tuple[Linker, duckdb.DuckDBPyConnection]:
    """A linker over a Parquet file, in memory."""
    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    con.execute("CREATE TABLE flat AS SELECT * FROM read_parquet($file)", {"file": str(flat)})
    return Linker(DuckDBAPI(connection=con).register("flat"), model, log_level=None, validate_settings=False), con


def train(flat: Path, out: Path) -> None:
    """Estimates the parameters and writes the model as JSON, once with each set of rules."""
    made, _ = linker(flat, settings(TIGHT))
    training = made.training
    training.estimate_probability_two_random_records_match([block_on("id_number"), block_on("name", "dob", "guardian")], recall=0.95)
    training.estimate_u_using_random_sampling(max_pairs=5_000_000, seed=1)
    for rule in (block_on("id_number"), block_on("name", "dob")):
        training.estimate_parameters_using_expectation_maximisation(rule)
    body: dict[str, Any] = made.misc.save_model_to_json(None)
    for name, rules in RULES.items():
        body["blocking_rules_to_generate_predictions"] = settings(rules).get_settings("duckdb").as_dict()["blocking_rules_to_generate_predictions"]
        Linker(_register(flat), body, log_level=None, validate_settings=False).misc.save_model_to_json(str(out / f"splink_{name}.json"), overwrite=True)


def _register(flat: Path) -> Any:
    con = duckdb.connect()
    con.execute("CREATE TABLE flat AS SELECT * FROM read_parquet($file) LIMIT 10", {"file": str(flat)})
    return DuckDBAPI(connection=con).register("flat")
