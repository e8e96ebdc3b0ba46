"""What happens to a city's children between two days. Enters: a moving city, a later day. Leaves: the departments' rows changed, and what happened to whom told to the truth.

Children arrive, go back, move on, are born, change hukou, die, get and lose relief, fall out of every register; numbers are completed, arrivals corrected, and
the survey goes round once a quarter. Sixteenth birthdays come by themselves.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from sample_data import names
from sample_data.moving import MovingCity, generator
from sample_data.numbers import check_digit, digits, padded
from sample_data.places import Ints, places
from sample_data.rates import CityError
from schemas import cells
from schemas.reference.divisions import resolve

# of a hundred children, how many it happens to in a quarter
_PER_QUARTER = {
    "arrive": 2.0, "back": 0.8, "onward": 0.6, "born": 1.2, "hukou": 0.4, "arrival_corrected": 0.3, "number_completed": 1.0, "relief": 0.4, "relief_ended": 0.3,
    "dead": 0.03, "gone": 0.2,
}  # fmt: skip
_QUARTER = 91.0
_SURVEYED = 0.6  # of the children registered away, how many a survey finds


def move(city: MovingCity, day: date, pace: float = 1.0) -> int:
    """Let the city go on to a later day and send what changed, in so many files; `pace`: how many times as often as in a real one things happen.

    Raises:
        CityError: the day is not later than the city's.
    """
    if day <= city.day:
        raise CityError(f"the city has already come to {city.day}: give a later day than that, not {day}")
    rng = generator(city, day)
    days = (day - city.day).days
    new_quarter = (city.day.year, (city.day.month - 1) // 3) != (day.year, (day.month - 1) // 3)
    taken = pl.Series([], dtype=pl.String)
    for change, share in _PER_QUARTER.items():
        able = _able(change, city, day).filter(~pl.col("person").is_in(taken.implode())).sort("person")
        count = min(able.height, int(rng.poisson(city.children * share / 100 * days / _QUARTER * pace)))
        if count:
            chosen = able[np.sort(rng.choice(able.height, size=count, replace=False))]
            _CHANGES[change](city, chosen, rng, day)
            city.tell(chosen["person"], change, day)
            taken = pl.concat([taken, chosen["person"]])
    if new_quarter:
        _survey(city, rng, day)
    return city.send(day, everything=new_quarter)


def _registered(city: MovingCity) -> pl.DataFrame:
    """The children whose hukou is in the city: their row of the household register, birth (a date), hukou_code."""
    rows = city.feeds["household"].filter((pl.col("hukou_status").fill_null("正常") == "正常") & pl.col("id_number").str.contains(r"^\d{17}[\dX]$"))
    rows = rows.sort("person", "id_number").unique("person", keep="first", maintain_order=True)
    code = resolve(rows["hukou_division"]).select(hukou_division="text", hukou_code="code")
    rows = rows.with_columns(birth=cells.date(pl.col("birth_date"))).join(code, on="hukou_division", how="left", maintain_order="left")
    return rows.filter(pl.col("birth").is_not_null() & pl.col("hukou_code").is_not_null())


def _away(city: MovingCity) -> pl.DataFrame:
    """person, record_key, home_code of the registrations away that still run, one a child."""
    rows = city.feeds["residence"].filter(pl.col("cancelled_on").is_null() & pl.col("cancel_reason").is_null())
    code = resolve(rows["residence_division"]).select(residence_division="text", home_code="code")
    found = rows.join(code, on="residence_division", how="left", maintain_order="left").filter(pl.col("home_code").is_not_null())
    return found.filter(pl.len().over("person") == 1).select("person", "record_key", "home_code", "residence_division")


def _able(change: str, city: MovingCity, day: date) -> pl.DataFrame:
    """The children to whom it can happen, with what the change needs to know of them."""
    kids = _registered(city)
    young = kids.filter(pl.col("birth").dt.offset_by("15y") > day)
    away = kids.join(_away(city).drop("residence_division").rename({"record_key": "residence_key"}), on="person")
    match change:
        case "arrive":
            seen = pl.concat([city.feeds[feed].select("person") for feed in ("residence", "survey")])
            return young.join(seen, on="person", how="anti")
        case "back" | "onward" | "arrival_corrected":
            return away
        case "hukou":
            return away.filter(pl.col("home_code") != pl.col("hukou_code"))
        case "number_completed":
            lacking = pl.concat([frame.filter(pl.col("id_number").is_null()).select("person") for feed, frame in city.feeds.items() if feed not in ("household", "disability")])
            return kids.join(lacking.unique(), on="person", how="semi")
        case "relief":
            return away.join(city.feeds["assistance"], on="person", how="anti")
        case "relief_ended":
            running = city.feeds["assistance"].filter((pl.col("kind") == "低保") & pl.col("stopped_on").is_null())
            return kids.join(running, on="person", how="semi")
        case "born":
            return kids.join(_away(city).select("person", "home_code"), on="person", how="left")
        case _:
            return kids


def _of(city: MovingCity, feed: str, chosen: pl.DataFrame) -> pl.Series:
    return city.feeds[feed]["person"].is_in(chosen["person"].implode())


def _elsewhere(rng: np.random.Generator, hukou: pl.Series, *other: pl.Series) -> pl.DataFrame:
    """For each child a township away from its hukou and in another district than those given: code6, township, county."""
    where = places()
    city = np.arange(len(where.weight)) < where.city
    zone = dict(where.table.select("code6", "zone").unique("code6").iter_rows())
    from_zone = hukou.replace_strict(zone, default=False, return_dtype=pl.Boolean).to_numpy()
    at: Ints = where.draw(rng, len(hukou), city)
    while True:
        code = where.table["code6"].gather(at)
        bad = ((code == hukou).fill_null(False)).to_numpy() | (from_zone & where.zone[at])
        for avoided in other:
            bad |= (code == avoided).fill_null(False).to_numpy()
        if not bad.any():
            return where.table.select("code6", "township", "county")[at]
        at[bad] = where.draw(rng, len(hukou), city)[bad]


def _register(city: MovingCity, chosen: pl.DataFrame, to: pl.DataFrame, arrived: pl.Series, day: date) -> None:
    """Registrations of the children at the places, since the days."""
    serial = padded(np.arange(city.serial, city.serial + chosen.height), 9)
    city.serial += chosen.height
    rows = chosen.select(
        "person", "name", "sex", "id_number", birth_date=pl.col("birth").cast(pl.String), record_key=pl.lit("D") + to["code6"] + pl.lit("9") + serial,
        hukou_division="hukou_code", residence_division=to["code6"], address=to["township"] + pl.lit("新村1号"), reason=pl.lit("随迁"),
        arrived_on=arrived.cast(pl.String), registered_on=pl.lit(day.isoformat()), lives_with_name="father_name", lives_with_id="father_id_number",
        lives_with_relation=pl.when(pl.col("father_name").is_not_null()).then(pl.lit("父亲")),
    )  # fmt: skip
    city.add("residence", rows)


def _transfer(city: MovingCity, chosen: pl.DataFrame, code6: pl.Series, county: pl.Series, day: date) -> None:
    """Children at school leave theirs and go to one in the district."""
    goes = _of(city, "education", chosen) & (city.feeds["education"]["status"] == "在读").fill_null(False)
    left = city.feeds["education"].filter(goes)
    city.put("education", goes, status=pl.lit("转出"), left_on=pl.lit(day.isoformat()))
    there = chosen.select("person", to=code6, in_=county)
    entered = left.unique("person", keep="first", maintain_order=True).join(there, on="person", maintain_order="left").with_columns(
        school_id=pl.col("to") + "0010", school=pl.col("in_") + "实验学校", school_division="to", enrolled_on=pl.lit(day.isoformat()), left_on=pl.lit(None, pl.String),
        address=pl.lit(None, pl.String), boarding=pl.lit("否"), part=city.part_of("education", pl.col("to")),
    )
    city.add("education", entered.drop("to", "in_"))


def _arrive(city: MovingCity, chosen: pl.DataFrame, rng: np.random.Generator, day: date) -> None:
    """A family leaves the hukou place: registered where it went, the child at school there."""
    to = _elsewhere(rng, chosen["hukou_code"])
    came = pl.Series([day - timedelta(days=int(d)) for d in rng.integers(2, 60, size=chosen.height)], dtype=pl.Date)
    came = chosen.select(came=pl.max_horizontal(came, "birth"))["came"]
    _register(city, chosen, to, came, day)
    _transfer(city, chosen, to["code6"], to["county"], day)


def _cancel(city: MovingCity, chosen: pl.DataFrame, why: str, day: date) -> None:
    ends = city.feeds["residence"]["record_key"].is_in(chosen["residence_key"].implode()) & _of(city, "residence", chosen)
    city.put("residence", ends, cancelled_on=pl.lit(day.isoformat()), cancel_reason=pl.lit(why))


def _back(city: MovingCity, chosen: pl.DataFrame, _rng: np.random.Generator, day: date) -> None:
    """Home to the hukou place; where a survey knows the child, it says so."""
    _cancel(city, chosen, "返回户籍地", day)
    county = dict(places().table.select("code6", "county").unique("code6").iter_rows())
    _transfer(city, chosen, chosen["hukou_code"], chosen["hukou_code"].replace_strict(county, default="", return_dtype=pl.String), day)
    seen = _of(city, "survey", chosen)
    city.put("survey", seen, presence=pl.lit("已返回户籍地"), surveyed_on=pl.lit(day.isoformat()))


def _onward(city: MovingCity, chosen: pl.DataFrame, rng: np.random.Generator, day: date) -> None:
    """On to a third district."""
    to = _elsewhere(rng, chosen["hukou_code"], chosen["home_code"])
    _cancel(city, chosen, "迁往他处", day)
    _register(city, chosen, to, pl.Series([day] * chosen.height, dtype=pl.Date), day)
    _transfer(city, chosen, to["code6"], to["county"], day)
    seen = _of(city, "survey", chosen)
    place = city.feeds["survey"].select("person").join(chosen.select("person", to=to["code6"]), on="person", how="left", maintain_order="left")["to"]
    city.put("survey", seen, presence=pl.lit("已迁往他处"), surveyed_on=pl.lit(day.isoformat()), residence_division=pl.lit(place), address=pl.lit(None, pl.String))


def _born(city: MovingCity, chosen: pl.DataFrame, rng: np.random.Generator, day: date) -> None:
    """A brother or sister of the chosen children, born where the family lives."""
    n = chosen.height
    male = rng.random(n) < 0.5
    birth = pl.Series([day - timedelta(days=int(d)) for d in rng.integers(5, 35, size=n)], dtype=pl.Date)
    serial = np.arange(city.serial, city.serial + n)
    city.serial += n
    born = birth.dt.strftime("%Y%m%d")
    body = (chosen["hukou_code"] + born).cast(pl.Int64).to_numpy() * 1000 + serial % 499 * 2 + male
    given = names.given_names(rng, male, 0.0)
    kids = chosen.with_columns(
        person=pl.lit("n") + padded(serial, 8), name=pl.col("father_name").fill_null("王").str.slice(0, 1) + pl.Series(given), sex=pl.Series(np.where(male, "男", "女")),
        id_number=pl.Series(body).cast(pl.String) + pl.Series(check_digit(digits(body, 17))), birth=birth, birth_date=birth.cast(pl.String),
        former_name=pl.lit(None, pl.String), relation_to_head=pl.Series(np.where(male, "子", "女")), hukou_since=birth.cast(pl.String), home=pl.coalesce("home_code", "hukou_code"),
    )  # fmt: skip
    city.add("household", kids.select("person", *(c for c in city.feeds["household"].columns if c not in ("person", "source_file", "source_row", "damage"))))
    key = padded(serial, 8)
    seen = kids.select(
        "person", "name", "sex", "birth_date", "mother_name", "mother_id_number", "father_name", "id_number", birth_certificate=pl.lit("Z50") + padded(serial, 7),
        residence_division="home", hukou_division="hukou_code", opened_on="birth_date",
    )  # fmt: skip
    city.add("health", seen.with_columns(record_key=pl.col("residence_division") + "000" + key))
    away = kids["home_code"].is_not_null()
    card = seen.select("person", "name", "sex", "birth_date", "mother_name", "father_name", "birth_certificate", "residence_division", "opened_on").with_columns(
        record_key=pl.col("residence_division") + "9999" + key, clinic_division="residence_division", status=pl.lit("在册"),
        residence_type=pl.when(away).then(pl.lit("流动")).otherwise(pl.lit("本地")), part=city.part_of("disease_control", pl.col("residence_division")),
    )  # fmt: skip
    city.add("disease_control", card)


def _hukou(city: MovingCity, chosen: pl.DataFrame, _rng: np.random.Generator, day: date) -> None:
    """The hukou comes to where the child lives."""
    moved = city.feeds["household"].filter(_of(city, "household", chosen)).sort("person", "id_number").unique("person", keep="first", maintain_order=True)
    ends = _of(city, "household", chosen)
    city.put("household", ends, hukou_status=pl.lit("迁出"), status_on=pl.lit(day.isoformat()))
    now = moved.join(chosen.select("person", to="home_code"), on="person").with_columns(
        hukou_division="to", hukou_address=pl.lit(None, pl.String), hukou_since=pl.lit(day.isoformat()), hukou_status=pl.lit("正常"), status_on=pl.lit(None, pl.String),
        household_key=pl.lit("50") + pl.col("to") + pl.col("household_key").str.slice(-9),
    )  # fmt: skip
    city.add("household", now.drop("to"))


def _arrival_corrected(city: MovingCity, chosen: pl.DataFrame, rng: np.random.Generator, day: date) -> None:
    """The police put an arrival right."""
    when = pl.Series([day - timedelta(days=int(d)) for d in rng.integers(100, 900, size=chosen.height)], dtype=pl.Date)
    told = chosen.select("residence_key", on=when.cast(pl.String))
    rows = city.feeds["residence"]["record_key"].is_in(told["residence_key"].implode())
    there = city.feeds["residence"].select("record_key").join(told.unique("residence_key"), left_on="record_key", right_on="residence_key", how="left", maintain_order="left")["on"]
    city.put("residence", rows, arrived_on=pl.lit(there))


def _number_completed(city: MovingCity, chosen: pl.DataFrame, _rng: np.random.Generator, _day: date) -> None:
    """A department fills in the child's number where it had none."""
    for feed in ("education", "residence", "health", "medical_insurance", "disease_control", "survey"):
        lacks = _of(city, feed, chosen) & city.feeds[feed]["id_number"].is_null()
        number = city.feeds[feed].select("person").join(chosen.select("person", n="id_number"), on="person", how="left", maintain_order="left")["n"]
        if lacks.any():
            city.put(feed, lacks, id_number=pl.lit(number))


def _relief(city: MovingCity, chosen: pl.DataFrame, _rng: np.random.Generator, day: date) -> None:
    """On the relief roll."""
    serial = padded(np.arange(city.serial, city.serial + chosen.height), 9)
    city.serial += chosen.height
    rows = chosen.select(
        "person", "name", "sex", "id_number", birth_date=pl.col("birth").cast(pl.String), record_key=pl.lit("JZ") + pl.col("home_code") + pl.lit("9") + serial,
        kind=pl.lit("低保"), hukou_division="hukou_code", aid_division="home_code", granted_on=pl.lit(day.isoformat()),
    )
    city.add("assistance", rows)


def _relief_ended(city: MovingCity, chosen: pl.DataFrame, _rng: np.random.Generator, day: date) -> None:
    """Off the relief roll."""
    runs = _of(city, "assistance", chosen) & (city.feeds["assistance"]["kind"] == "低保").fill_null(False)
    city.put("assistance", runs, stopped_on=pl.lit(day.isoformat()))


def _dead(city: MovingCity, chosen: pl.DataFrame, _rng: np.random.Generator, day: date) -> None:
    city.put("household", _of(city, "household", chosen), hukou_status=pl.lit("死亡注销"), status_on=pl.lit(day.isoformat()))


def _gone(city: MovingCity, chosen: pl.DataFrame, _rng: np.random.Generator, _day: date) -> None:
    """No department has the child any more."""
    for feed in city.feeds:
        city.drop(feed, _of(city, feed, chosen))


def _survey(city: MovingCity, rng: np.random.Generator, day: date) -> None:
    """The round of a new quarter: whoever was found before and is still registered there is found again, others for the first time."""
    quarter = f"{day.year}Q{(day.month - 1) // 3 + 1}"
    away = _away(city)
    again = city.feeds["survey"]["person"].is_in(away["person"].implode()) & (city.feeds["survey"]["presence"].fill_null("在住") == "在住")
    city.put("survey", again, quarter=pl.lit(quarter), surveyed_on=pl.lit(day.isoformat()))
    new = _registered(city).join(away.rename({"record_key": "residence_key"}), on="person").join(city.feeds["survey"], on="person", how="anti").sort("person")
    new = new.filter(pl.Series(rng.random(new.height) < _SURVEYED))
    serial = padded(np.arange(city.serial, city.serial + new.height), 9)
    city.serial += new.height
    rows = new.select(
        "person", "name", "sex", "father_name", "mother_name", "id_number", birth_date=pl.col("birth").cast(pl.String), record_key=pl.lit("MP") + pl.col("home_code") + pl.lit("9") + serial,
        quarter=pl.lit(quarter), hukou_division="hukou_code", residence_division="home_code", presence=pl.lit("在住"), guardianship=pl.lit("父母双方"),
        surveyed_on=pl.lit(day.isoformat()), part=city.part_of("survey", pl.col("home_code")),
    )  # fmt: skip
    city.add("survey", rows)


_CHANGES = {
    "arrive": _arrive, "back": _back, "onward": _onward, "born": _born, "hukou": _hukou, "arrival_corrected": _arrival_corrected,
    "number_completed": _number_completed, "relief": _relief, "relief_ended": _relief_ended, "dead": _dead, "gone": _gone,
}  # fmt: skip
