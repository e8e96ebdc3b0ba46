"""What follows for one child, told: rows of key_care, visit, alert, service_gap and match_suggestion go in, lines a person reads come out. Never a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rules.explain import Row, evidence, place
from rules.services import ASPECTS
from schemas.reference.words import Lang, words


def care(entries: Sequence[Row], visits: Sequence[Row], lang: Lang) -> Iterator[str]:
    """The key-care categories of a child: since when and, where it is known, until when; its visits; the rows that say so; every visit handed in."""
    labels = _LABELS[lang]
    for entry in entries:
        span = labels["since"].format(entry["since"]) if entry["since"] is not None else labels["no_start"]
        span += labels["until"].format(entry["until"]) if entry["until"] is not None else ""
        span += labels["listed"].format(entry["first_listed_on"])
        aside = ("" if entry["is_verified"] else labels["unverified"]) + ("" if entry["is_flowing"] else labels["not_flowing"])
        last = labels["visited"].format(entry["last_visit_on"]) if entry["last_visit_on"] is not None else labels["never_visited"]
        state = words("visit_state", lang).get(entry["visit_state"] or "", "")
        yield labels["care"].format(words("category", lang)[entry["category"]], span) + aside
        yield "      " + labels["visits"].format(last=last, due=entry["next_visit_due"], state=state)
        yield from evidence(entry["basis"], lang, "      ")
    for visit in visits:
        told = [visit[name] for name in ("way", "result", "situation") if visit[name] is not None]
        yield labels["visit"].format(visit["visited_on"], labels["comma"].join(told))


def alerts(raised: Sequence[Row], assessed_on: Sequence[Row], lang: Lang) -> Iterator[str]:
    """What somebody should do about the child, open before closed: by whom, by when, why, and on which rows.

    Args:
        assessed_on: the rows the rule's answer rests on; an alert that rests on the same ones says so instead of repeating them.
    """
    labels = _LABELS[lang]
    for alert in sorted(raised, key=lambda a: (a["closed_on"] is not None, str(a["due_on"]), a["kind"])):
        due = labels["due"].format(alert["due_on"]) + (labels["overdue"] if alert["state"] == "overdue" else "")
        state = labels["closed"].format(alert["closed_on"], alert["closed_reason"]) if alert["closed_on"] is not None else due
        yield labels["alert"].format(
            what=alert["title"] if lang == "zh" else words("alert", lang).get(alert["kind"], alert["title"]),
            who=_department(alert["department"], lang), where=place(alert["district"], None, lang), state=state,
        )  # fmt: skip
        if lang == "zh":
            yield f"      {alert['message']}"
        yield f"      {labels['article']}{alert['article']}"
        if alert["evidence"] and alert["evidence"] == assessed_on:
            yield f"      {labels['same']}"
        else:
            yield from evidence(alert["evidence"], lang, "      ")


def services(gaps: Sequence[Row], lang: Lang) -> Iterator[str]:
    """The service list of a child aspect by aspect: what it has, lacks, or nobody knows."""
    labels = _LABELS[lang]
    for gap in sorted(gaps, key=lambda g: (ASPECTS.index(g["aspect"]), g["item"])):
        aspect, item = (words(code_set, lang).get(gap[code_set], gap[code_set]) for code_set in ("aspect", "item"))
        yield labels["service"].format(aspect=aspect, item=item, status=words("service_status", lang)[gap["status"]], who=_department(gap["department"], lang))
        yield from evidence(gap["basis"], lang, "      ")


def suggestions(matches: Sequence[Row], lang: Lang) -> Iterator[str]:
    """For each need the place that could help, or why none can."""
    labels = _LABELS[lang]
    for match in matches:
        need, status = words("need", lang).get(match["need"], match["need"]), words("match_status", lang)[match["status"]]
        yield labels["need"].format(need, status) + (match["why"] if lang == "zh" else _in_english(match))


def _in_english(match: Row) -> str:
    if match["status"] != "matched":
        return ""
    return f" {match['resource_name']} ({words('nearness', 'en')[match['nearness']]})"


def _department(name: str, lang: Lang) -> str:
    return words("department", lang).get(name, name)


_LABELS: dict[Lang, dict[str, str]] = {
    "zh": {
        "care": "  {}：{}", "since": "自{}起", "no_start": "开始日期不明", "until": "，预计至{}", "listed": "，{}列入", "unverified": "（仅据摸排，尚未核实）", "not_flowing": "（非流动儿童，因求助列入）",
        "visits": "走访：{last}；下次不晚于{due}（{state}）", "visited": "上次{}", "never_visited": "尚无记录", "visit": "  {}走访：{}", "comma": "，",
        "alert": "  {what} → {where}{who}；{state}", "due": "办理期限{}", "overdue": "，已逾期", "closed": "已于{}办结（{}）", "article": "依据：", "same": "所依据的记录与“认定依据”相同",
        "service": "  {aspect}·{item}：{status}（{who}）", "need": "  {}：{}。",
    },
    "en": {
        "care": "  {}: {}", "since": "since {}", "no_start": "start unknown", "until": ", ends by itself on {}", "listed": ", listed on {}", "unverified": " (the survey's word, not verified yet)",
        "not_flowing": " (does not count as a migrant child, listed for having asked)",
        "visits": "visits: {last}; next by {due} ({state})", "visited": "last on {}", "never_visited": "none known", "visit": "  visit on {}: {}", "comma": ", ",
        "alert": "  {what} → {who}, {where}; {state}", "due": "due {}", "overdue": ", overdue", "closed": "closed {} ({})", "article": "law: ",
        "same": "rests on the same records as the answer", "service": "  {aspect}, {item}: {status} ({who})", "need": "  {}: {}",
    },
}  # fmt: skip
