"""The page of networks: what opens, what is only scanned, what is refused and why, from the lines of a sweep."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from textwrap import wrap
from typing import Any

from families.networks import Subject
from families.verdict import VERDICTS, scans, share, verdict, wrong

Record = Mapping[str, Any]
LINE = 120
METHODS = ("deconvnet", "guided", "gradient")
HEAD = """# Networks that were tried

<!-- Written by `make families`; do not edit. -->

`make families` opens networks of many families with seeded random weights and holds each to six checks:

- **replay**: the network's own forward beside layerscope's, layer by layer ([how](../trust.md#is-it-your-network));
- **fields**: for the first, the middle and the last layer that `auto` means, at places in the middle, on a border
  and in two corners, noise outside the [field](../mathematics.md) changes nothing, in float64;
- **peaks**: a build over five pictures finds the peaks of a plain loop over the network's own modules;
- **proposals**: a scan that proposes in bfloat16 finds the peaks of a plain one, bit for bit, over 140 pictures
  ([why it may](../decisions/030-fast-first-exact-last.md));
- **projections**: deconvnet, guided and gradient equal a reference in float64 that shares no code with layerscope,
  autograd on the network's own modules, at the same kinds of places; where the reference has no rule for a function
  it is named, and only the gradient is compared;
- **refusals**: every call without a row, or for which its row does not speak, is counted.

Gaps are shares of the largest value. They may be 1e-9 for fields, 1e-10 for projections; a peak may differ from the
loop by the rounding of float32. Networks are made small, of 64 px where they allow it, so a deep layer often sees
the whole picture.
"""
PROPOSALS = (
    "layers", "networks", "units", "units whose peaks differ", "decided", "of these with pictures left out",
    "pairs that might be peaks, median", "fell back", "declined",
)  # fmt: skip
LATE, WAITING = "Not done in their time", "Not run yet"
COLUMNS = (
    "network", "px", "verdict", "layers", "auto", "without projections", "replay", "fields", "peaks", *METHODS,
    "not known to the reference", "seconds",
)  # fmt: skip


def in_short(record: Record) -> str:
    """A line for whoever waits."""
    found = "; ".join(wrong(record)) or record.get("why", "")
    return f"{verdict(record)}{f' ({found})' if found else ''}"


def page(records: Mapping[str, Record], subjects: Sequence[Subject], sentences: Mapping[str, str]) -> str:
    """The whole page. sentences: what each kind is."""
    kinds = list(dict.fromkeys(subject.kind for subject in subjects))
    known = [records[subject.text] for subject in subjects if subject.text in records]
    parts = [HEAD, _made(known), _counts(kinds, subjects, records, sentences), _faults(known), _worst(known)]
    parts += [_proposals(known), _steep(known), _refusals(known), _declined(known)]
    parts += [_kind(kind, sentences[kind], [s for s in subjects if s.kind == kind], records) for kind in kinds]
    return "".join(f"{_short(line)}\n" for line in "\n".join(parts).splitlines())


def _made(known: Sequence[Record]) -> str:
    """When, and with what."""
    if not known:
        return "Nothing was run yet.\n"
    used: dict[str, set[str]] = {}
    for record in known:
        for package, number in record["versions"].items():
            used.setdefault(package, set()).add(number)
    packages = ", ".join(f"{package} {' and '.join(sorted(numbers))}" for package, numbers in sorted(used.items()))
    days, states = sorted({record["when"] for record in known}), Counter(record["code"] for record in known)
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    code = (
        "one state of the code" if len(states) == 1 else f"{len(states)} states of the code: those of the code as it "
    )
    code += "" if len(states) == 1 else "is now are run again by the next sweep"
    return f"Run {when}, with {packages}; {code}.\n"


def _counts(
    kinds: Iterable[str], subjects: Sequence[Subject], records: Mapping[str, Record], sentences: Mapping[str, str]
) -> str:
    lines = ["## How many", "", _row(["kind", "what", "networks", *VERDICTS]), _rule(3 + len(VERDICTS))]
    every: Counter[str] = Counter()
    for kind in kinds:
        found = Counter(verdict(records.get(subject.text)) for subject in subjects if subject.kind == kind)
        every += found
        lines.append(_row([f"`{kind}`", sentences[kind], found.total(), *(found[word] for word in VERDICTS)]))
    lines.append(_row(["all", "", every.total(), *(every[word] for word in VERDICTS)]))
    meant = [f"- **{word}**: {meaning}" for word, meaning in VERDICTS.items()]
    return "\n".join([*lines, "", *meant, ""])


def _faults(known: Sequence[Record]) -> str:
    lines = ["## What is wrong", ""]
    found = [f"- `{record['network']}`: {_safe('; '.join(wrong(record)))}" for record in known if wrong(record)]
    return "\n".join([*lines, *(found or ["Nothing that was run."]), ""])


def _worst(known: Sequence[Record]) -> str:
    """The largest gap of each check over all networks, with how much was compared."""
    lines = ["## Worst gaps", "", _row(["check", "compared", "worst", "network"]), _rule(4)]
    opened = [record for record in known if record["state"] == "open"]
    lines.append(
        _worst_row("replay", "layers", [(_replayed(r), (r["replay"] or {}).get("layers", 0), r) for r in opened])
    )
    fields = [(r["fields"].get("worst", 0.0), r["fields"].get("tried", 0), r) for r in opened]
    peaks = [(r["peaks"].get("worst", 0.0), r["peaks"].get("units", 0), r) for r in opened]
    lines += [_worst_row("fields", "positions", fields), _worst_row("peaks", "units", peaks)]
    for method in METHODS:
        backs = [
            (r["backs"].get("worst", {}).get(method, 0.0), r["backs"].get("compared", {}).get(method, 0), r)
            for r in opened
        ]
        lines.append(_worst_row(method, "projections", backs))
    return "\n".join([*lines, ""])


def _worst_row(check: str, what: str, found: Sequence[tuple[float, int, Record]]) -> str:
    worst = max(found, key=lambda one: one[0], default=None)
    name = f"`{worst[2]['network']}`" if worst is not None and worst[0] else ""
    return _row([check, f"{sum(count for _, count, _ in found)} {what}", share(worst[0]) if worst else "", name])


def _proposals(known: Sequence[Record]) -> str:
    """How often an engine that proposes decided, fell back and declined, over all layers and over the narrowest."""
    lines = ["## Peaks by proposals", ""]
    lines += [
        "An engine that proposes runs those pictures again that may hold a peak. It falls back on running all of them "
        "again where a bound does not hold, and declines what has no row, of which nothing is known, and what jumps. "
        "Of thousands of units one or another may need any picture, so the narrowest layer is scanned alone too. A "
        "pair is a unit and a picture.",
        "",
    ]  # fmt: skip
    ran = [scans(record) for record in known if scans(record)]
    lines += [_row(PROPOSALS), _rule(len(PROPOSALS))]
    for what, found in zip(("all that `auto` means", "the narrowest alone"), zip(*ran, strict=True), strict=False):
        lines.append(_outcomes(what, found))
    lines += ["", *(
        f"- `{record['network']}` is declined: {_safe(scans(record)[0]['why'])}"
        for record in known
        if scans(record) and scans(record)[0]["outcome"] == "declined"
    ), *(
        f"- `{record['network']}` is refused by both scans: {_safe(record['proposed']['refused'])}"
        for record in known
        if "refused" in record.get("proposed", {})
    )]  # fmt: skip
    opened = [record for record in known if record["state"] == "open"]
    late = [f"`{record['network']}`" for record in opened if "late" in record.get("proposed", {})]
    waiting = [f"`{record['network']}`" for record in opened if "proposed" not in record]
    lines += [f"\n{words}: {', '.join(names)}." for words, names in ((LATE, late), (WAITING, waiting)) if names]
    return "\n".join([*lines, ""])


def _outcomes(what: str, found: Sequence[Record]) -> str:
    """A row of PROPOSALS."""
    outcomes = Counter(scan["outcome"] for scan in found)
    decided = [scan for scan in found if scan["outcome"] == "decided"]
    left_out = sum(scan["again"] < scan["images"] for scan in decided)
    return _row([
        what, len(found), sum(scan["units"] for scan in found), sum(scan["differ"] for scan in found),
        outcomes["decided"], left_out, f"{median(scan['share'] for scan in decided):.1%}" if decided else "",
        outcomes["fell back"], outcomes["declined"],
    ])  # fmt: skip


def _steep(known: Sequence[Record]) -> str:
    """Networks whose rounding is larger than what is allowed of others."""
    lines = ["## Steep networks", ""]
    lines += [
        "With weights that nobody trained some networks are so steep that the last digit of a picture is seen in the "
        "fifth of a layer. Where a check differs by more than its bound, the loop or the reference is run once more on "
        "pictures moved by four units of their last place; ten times what comes of it is allowed, and stated here. "
        "Peaks are then held to a loop over the build's own pixels, as closely as everywhere; where even float64's "
        "last digit decides (\"the same pixels\"), nothing is said of them.", "",
    ]  # fmt: skip
    found = [
        f"- `{record['network']}`, {check}: {share(gap)} where rounding may do {share(rounding)} ({_safe(where)})"
        for record in known
        for check in ("peaks", "backs")
        for where, (gap, rounding) in record.get(check, {}).get("steep", {}).items()
    ]
    return "\n".join([*lines, *(found or ["None."]), ""])


def _refusals(known: Sequence[Record]) -> str:
    """Every operation that nothing is carried back through, with its reason, how often and in how many networks."""
    calls: Counter[tuple[str, str]] = Counter()
    networks: Counter[tuple[str, str]] = Counter()
    for record in known:
        own: Counter[tuple[str, str]] = Counter()
        for op, why, times in record.get("refused", ()):
            own[op, _without_numbers(why)] += times
        calls += own
        networks.update(own.keys())
    lines = ["## Operations that are refused", ""]
    lines += ["Such a call is run, so layers behind it are scanned; nothing is carried back through it.", ""]
    lines += [_row(["operation", "reason", "networks", "calls"]), _rule(4)]
    order = sorted(networks, key=lambda one: (-networks[one], one))
    lines += [_row([f"`{op}`", _safe(why), networks[op, why], calls[op, why]]) for op, why in order]
    return "\n".join([*lines, ""])


def _declined(known: Sequence[Record]) -> str:
    lines = ["## Networks that are declined", ""]
    found = [r for r in known if r["state"] in ("refused", "late", "unmade")]
    return "\n".join([*lines, *([f"- `{r['network']}`: {_safe(r['why'])}" for r in found] or ["None."]), ""])


def _kind(kind: str, sentence: str, subjects: Sequence[Subject], records: Mapping[str, Record]) -> str:
    ran = [subject for subject in subjects if subject.text in records]
    rest = [f"`{subject.name}`" for subject in subjects if subject.text not in records]
    lines = [f"## {kind}", "", f"{sentence[0].upper()}{sentence[1:]}.", ""]
    if ran:
        lines += [_row(COLUMNS), _rule(len(COLUMNS)), *(_line(s, records[s.text]) for s in ran), ""]
        lines += [*(_from(records[s.text]) for s in ran if records[s.text].get("auto_scan_only")), ""]
    if rest:
        lines += [f"{WAITING}: {', '.join(rest)}.", ""]
    return "\n".join(lines)


def _line(subject: Subject, record: Record) -> str:
    first = [f"`{subject.name}`", subject.side, verdict(record)]
    if record["state"] != "open":
        return _row([*first, *[""] * (len(COLUMNS) - 4), record["seconds"]])
    backs = record["backs"]
    return _row([
        *first, record["layers"], record["auto"], record["auto_scan_only"] or "", share(_replayed(record)),
        _field(record["fields"]), _peak(record["peaks"]), *(_back(backs, method) for method in METHODS),
        _aside(backs), record["seconds"],
    ])  # fmt: skip


def _from(record: Record) -> str:
    """Where projections end, and why."""
    name = record["network"].partition(":")[2]
    return f"- `{name}` without projections from `{record['from']}` on: {_safe(record['because'])}"


def _replayed(record: Record) -> float:
    worst = (record["replay"] or {}).get("worst", 0.0)
    return float("inf") if worst is None else worst


def _field(check: Mapping[str, Any]) -> str:
    if "tried" not in check:
        return "failed"
    return share(check["worst"]) if check["tried"] else "sees all" if check["all"] else "beyond"


def _peak(check: Mapping[str, Any]) -> str:
    return share(check["worst"]) if "worst" in check else "declined" if "refused" in check else "failed"


def _back(check: Mapping[str, Any], method: str) -> str:
    return share(check["worst"][method]) if check.get("compared", {}).get(method) else "–"


def _aside(check: Mapping[str, Any]) -> str:
    """What kept projections from being compared."""
    parts = [*check.get("unknown", ()), *([f"{check['unmatched']} of the layers"] if check.get("unmatched") else [])]
    return ", ".join(parts) or check.get("none", "")


def _without_numbers(why: str) -> str:
    """Shapes of one network say nothing of another."""
    return re.sub(r"\d+", "n", re.sub(r"\[[\d, ]*\]", "[...]", why))


def _safe(words: str) -> str:
    """Words that a table's cell can hold."""
    return words.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _short(line: str) -> str:
    """A line of a table as it is, all else so that it can be read in a terminal."""
    if line.startswith("|") or len(line) <= LINE:
        return line
    hang = "  " if line.startswith("- ") else ""
    return "\n".join(wrap(line, LINE, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False))


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _rule(count: int) -> str:
    return f"|{' --- |' * count}"
