"""What a line of the sweep says of its network, in one word, and what is wrong in it, in clauses."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

Record = Mapping[str, Any]

# What an auto layer can have: the first word that is true.
VERDICTS = {
    "whole": "every layer that `auto` means has patches, statistics and projections",
    "in part": "some of its `auto` layers are scanned only, without projections",
    "refused": "it is declined in one sentence",
    "fault": "something of it is wrong, see below",
    "late": "it was not done within the time of the sweep",
    "unmade": "its package does not make it here",
    "not run": "this sweep has not come to it yet",
}
FIELDS, PEAKS, BACKS = 1e-9, 1e-5, 1e-10


def verdict(record: Record | None) -> str:
    """A key of VERDICTS."""
    if record is None:
        return "not run"
    if record["state"] in ("refused", "late", "unmade"):
        return record["state"]
    if wrong(record):
        return "fault"
    return "in part" if record["auto_scan_only"] else "whole"


def wrong(record: Record) -> list[str]:
    """Clauses about what must not be."""
    if record["state"] == "crashed":
        return [f"it ends with {record['why']}"]
    if record["state"] != "open":
        return []
    replay = record["replay"] or {}
    found = [f"replay: {replay['said']}"] if replay.get("fault") else []
    for check in ("fields", "peaks", "proposed", "backs"):
        if "crashed" in record.get(check, {}):
            found.append(f"{check}: it ends with {record[check]['crashed']}")
    if beyond(record["fields"].get("worst", 0), FIELDS):
        found.append(
            f"fields: at {record['fields']['at']} what lies outside changes {share(record['fields']['worst'])}"
        )
    if record["peaks"].get("wrong"):
        found.append(f"peaks: {record['peaks']['wrong']} of {record['peaks']['units']} units, {record['peaks']['at']}")
    for scan in scans(record):
        if scan["differ"]:
            found.append(f"proposed: {scan['differ']} of {scan['units']} units, {scan['at']}")
    for method, worst in record["backs"].get("worst", {}).items():
        if beyond(worst, BACKS):
            found.append(f"{method}: at {record['backs']['at'][method]} {share(worst)}")
    return found


def scans(record: Record) -> list[Record]:
    """What was found of an engine that proposes: over all layers, and over the narrowest; none where it was not run."""
    found = record.get("proposed", {})
    return [found, found["narrow"]] if "narrow" in found else []


def beyond(worst: float, bound: float) -> bool:
    """Not a number is beyond every bound."""
    return not worst <= bound


def share(value: float) -> str:
    """In one digit; 0 for nothing at all."""
    return f"{value:.0e}".replace("e-0", "e-") if isfinite(value) and value else "0" if not value else "without bound"
