"""What a correction says. Enters: answers with the question they speak to and 更正内容 as typed. Leaves: its value, read as that question asks: text, date, or place."""

from __future__ import annotations

import polars as pl

from matching import identifiers, names, phones
from schemas import cells
from schemas.reference.divisions import resolve


def typed(answers: pl.DataFrame) -> pl.DataFrame:
    """The answers with text, date, date_precision, code, township, written; all null where the value cannot be read as its question asks.

    Args:
        answers: question, value.
    """
    value, question = pl.col("value"), pl.col("question")
    number = identifiers.of_relatives(answers["value"])
    places = resolve(answers.filter(question.is_in(["hukou", "residence"]))["value"]).select(value="text", code="code", township="township", written="written")
    read = answers.with_columns(_number=pl.when(number["status"] == "valid").then(number["number"])).join(places, on="value", how="left", maintain_order="left")
    text = {
        "name": names.display(value),
        "guardian_name": names.display(value),
        "sex": cells.sex(value),
        "id_number": pl.col("_number"),
        "guardian_phone": phones.numbers(value).list.first(),
    }
    is_day = question.is_in(["birth_date", "arrived_on"])
    is_place = question.is_in(["hukou", "residence"])
    return read.with_columns(
        text=pl.coalesce(*(pl.when(question == asked).then(said) for asked, said in text.items())),
        date=pl.when(is_day).then(cells.date(value)),
        date_precision=pl.when(is_day).then(cells.date_precision(value)),
        **{name: pl.when(is_place).then(name) for name in ("code", "township", "written")},
    ).drop("_number")
