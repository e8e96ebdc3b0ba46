"""Rates: what a file may override, and what is refused in which words."""

import pytest

from sample_data.rates import Rates, RatesError, rates


def written(tmp_path, text: str):
    file = tmp_path / "rates.yaml"
    file.write_text(text, "utf-8")
    return file


def test_the_defaults_are_those_the_issue_states():
    made = rates()
    missing = made.per_feed["id_missing"]
    assert (missing["education"], missing["health"], missing["disease_control"], missing["survey"]) == (0.015, 0.28, 0.20, 0.15)
    assert made.twins == 0.02
    for fault, low, high in (("id_wrong", 0.01, 0.03), ("name_wrong", 0.01, 0.04), ("birth_wrong", 0.003, 0.02)):
        for feed, share in made.per_feed[fault].items():
            assert low <= share <= high or feed == "household", (fault, feed)


def test_a_file_overrides_what_it_names_and_nothing_else(tmp_path):
    made = rates(written(tmp_path, "twins: 0.5\nper_feed: {id_missing: {health: 0.9}}\n"))
    assert made.twins == 0.5
    assert made.per_feed["id_missing"] == rates().per_feed["id_missing"] | {"health": 0.9}
    assert made.forms == rates().forms
    assert rates(written(tmp_path, "")) == rates()


def test_scale_doubles_the_damage_and_leaves_the_people(tmp_path):
    double = rates(written(tmp_path, "scale: 2\n"))
    assert double == rates().scaled(2)
    assert double.per_feed["id_missing"]["health"] == pytest.approx(0.56)
    assert double.forms["date_form"] == 2 * rates().forms["date_form"]
    assert (double.twins, double.stories, double.mix) == (rates().twins, rates().stories, rates().mix)


def test_rates_given_are_taken_as_they_are():
    made = rates().scaled(0)
    assert isinstance(made, Rates)
    assert rates(made) is made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("twinz: 0.1", "rates: unknown: twinz; there are: siblings, twins"),
        ("per_feed: {id_mising: {}}", "rates: unknown: per_feed.id_mising; there are: per_feed.id_missing"),
        ("per_feed: 0.1", "rates: 'per_feed.' holds 0.1; expected names with shares"),
        ("twins: 1.2", "rates: twins is 1.2; expected a share from 0 to 1"),
        ("twins: many", "rates: twins is 'many'; expected a share from 0 to 1"),
        ("forms: {date_form: -0.1}", "rates: forms.date_form is -0.1; expected a share from 0 to 1"),
        ("scale: often", "rates: scale is 'often'; expected a number from 0"),
        ("- twins", "rates: "),
        ("twins: [", "rates: "),
        ("scale: 9", "rates: per_feed.id_missing.health is 2.5200000000000005; expected a share from 0 to 1"),
    ],
)
def test_what_cannot_be_a_rate_is_refused_in_words(tmp_path, text, said):
    with pytest.raises(RatesError) as refused:
        rates(written(tmp_path, text))
    assert str(refused.value).startswith(said)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path):
    with pytest.raises(RatesError, match=r"rates: .* cannot be read as YAML \(FileNotFoundError\): give a file such as sample_data/rates.yaml"):
        rates(tmp_path / "none.yaml")
