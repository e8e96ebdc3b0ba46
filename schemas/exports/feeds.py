"""The ten feeds of the contract, in the order they are taken in, and the optional inputs of ours behind them."""

from schemas.exports.assistance import Assistance
from schemas.exports.contract import Feed
from schemas.exports.disability import Disability
from schemas.exports.disease_control import DiseaseControl
from schemas.exports.education import Education
from schemas.exports.health import Health
from schemas.exports.household import Household
from schemas.exports.medical_insurance import MedicalInsurance
from schemas.exports.residence import Residence
from schemas.exports.resource import Resource
from schemas.exports.returned import ExchangeReply, NationalReceipt
from schemas.exports.survey import Survey
from schemas.exports.verification import Verification
from schemas.exports.visit import Visit

FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        Feed("household", "户籍", "公安", Household),
        Feed("residence", "流动人口登记", "公安", Residence),
        Feed("education", "学籍", "教育", Education),
        Feed("health", "儿童健康管理", "卫生健康", Health),
        Feed("medical_insurance", "参保", "医保", MedicalInsurance),
        Feed("disease_control", "预防接种", "疾控", DiseaseControl),
        Feed("disability", "残疾人证", "残联", Disability),
        Feed("survey", "季度摸排", "民政", Survey),
        Feed("assistance", "救助", "民政", Assistance),
        Feed("verification", "核实反馈", "民政", Verification),
        Feed("visit", "走访记录", "民政", Visit, is_optional=True),
        Feed("resource", "关爱资源", "民政", Resource, is_optional=True),
        Feed("exchange_reply", "异地协查答复", "民政", ExchangeReply, is_optional=True),
        Feed("national_receipt", "全国系统回执", "民政", NationalReceipt, is_optional=True),
    )
}

# the feeds whose rows are sightings of a child; the others answer about persons already known, resource about none
OTHER_FEEDS = ("verification", "visit", "resource", "exchange_reply", "national_receipt")
CHILD_FEEDS: dict[str, Feed] = {name: feed for name, feed in FEEDS.items() if name not in OTHER_FEEDS}
