"""Wrong values, generated from the table of settings: every setting of every verb, from a shell and from Python.

What a value may be is read from its kind; what is wrong for it is worked out here.
"""

import subprocess
import sys
from collections.abc import Iterator
from math import inf, nan

import pytest

import layerscope as ls
from layerscope.core import sequences, texts, values
from layerscope.core.engine_settings import ClusterAddress
from layerscope.core.setting import Setting
from layerscope.core.values import Kind
from layerscope.core.verbs import COMMANDS, VERBS

# What a verb cannot do without: names of nothing, so that whatever is opened before a value is looked at fails first.
NOWHERE = "no/such/thing"
NEEDED = {"net": NOWHERE, "data": NOWHERE, "run": NOWHERE, "images": NOWHERE, "atlas": NOWHERE, "shell": "bash"}
NEEDED |= {"text": "a word", "before": NOWHERE, "after": NOWHERE, "atlases": NOWHERE}
NEEDED |= {
    "model": NOWHERE,
    "picture": NOWHERE,
    "out": f"{NOWHERE}.png",
    "world": True,
    "folder": NOWHERE,
    "source": NOWHERE,
    "units": "layer:0",
}


def needed(verb: str) -> dict[str, object]:
    """What Python must give a verb."""
    own = {s.name for s in VERBS[verb.replace("-", "_")].settings if s.needed or s.name in ("out", "world", "folder")}
    return {name: value for name, value in NEEDED.items() if name in own} | (
        {"net": "zfnet"} if verb == "train" else {}
    )


def line(verb: str, setting: Setting, text: str) -> list[str]:
    """A command with one setting written so, and all else that it needs."""
    words, placed = [verb], []
    given = needed(verb) | {setting.name: text}
    own = {s.name: s for s in COMMANDS[verb].settings if s.shell}
    # A place is told by those before it.
    if setting.placed:
        for one in own.values():
            if one.placed and one.name not in given:
                given[one.name] = NOWHERE if "unit" not in one.name else "0"
            if one is setting:
                break
    for name, one in own.items():
        if name not in given:
            continue
        if one.placed:
            placed.append(str(given[name]))
        elif one.is_flag:
            words.append(one.option)
        else:
            words.append(f"{one.option}={given[name]}")
    return [*words, "--", *placed] if placed else words


def inner(kind: Kind) -> Kind:
    return kind._kind if isinstance(kind, values.Maybe) else kind


def written(kind: Kind) -> Iterator[tuple[str, object]]:
    """Wrong values that both faces can write, as a shell and as Python write them."""
    kind = inner(kind)
    if isinstance(kind, values.Whole):
        yield from ((str(kind.least - 1), kind.least - 1), ("", ""), ("many", "many"), ("nan", nan))
        yield str(kind.least + 0.5), kind.least + 0.5
        if kind.most is not None:
            yield str(kind.most + 1), kind.most + 1
    elif isinstance(kind, values.Number):
        yield from (("0", 0), ("-1", -1), ("nan", nan), ("inf", inf), ("", ""), ("wide", "wide"))
    elif isinstance(kind, values.Bytes):
        yield from (("", ""), ("0", 0), ("-5", -5), ("lots", "lots"), ("nanMB", "nanMB"))
    elif isinstance(kind, (texts.Word, texts.RowName)):
        word = kind.words[0]
        yield from (("", ""), ("no-such-word", "no-such-word"), (word.upper() + "x", word.upper() + "x"))
    elif isinstance(kind, sequences.Several):
        yield "", [""]
        if kind.words:
            yield from ((f"{kind.words[0]},none", (kind.words[0], "none")), (",", ["", ""]))
    elif isinstance(kind, sequences.Names):
        yield from (("", [""]), (",", [","]))
    elif isinstance(kind, sequences.Bindings):
        yield from (("", ""), ("mask", "mask"), ("mask=blue", "mask=blue"))
    elif isinstance(kind, sequences.LayersUnits):
        yield from (("", ""), ("layer4", "layer4"), (":1", ":1"), ("layer4:", "layer4:"), ("layer4:1,x", "layer4:1,x"))
    elif isinstance(kind, sequences.UnitNumbers):
        yield from (("", ""), ("1,x", "1,x"), ("5-2", "5-2"))
    elif isinstance(kind, (sequences.Numbers, sequences.Shape)):
        yield from (("", ""), ("1,x", "1,x"))
    elif isinstance(kind, texts.Text):
        if not kind._empty:
            yield "", ""
    elif isinstance(kind, (texts.Place, texts.Anything)):
        yield "", ""
    elif isinstance(kind, ClusterAddress):
        yield from (("", ""), ("somewhere", "somewhere"), ("host:port", "host:port"), ("http://a:1", "http://a:1"))
    elif isinstance(kind, texts.SiteAddress):
        yield from (("", ""), ("site", "site"), ("ftp://a.example/", "ftp://a.example/"))
    else:
        assert isinstance(kind, (values.Flag, texts.Reporter, texts.Held, texts.Expectation)), kind


# Values that no setting takes but those of the kinds that another room judges.
STRANGE = (object(), {"a": 1}, b"bytes", 1j)
OF_PYTHON: dict[type, tuple[object, ...]] = {
    values.Whole: (True, 3.0, "3", [3], (), *STRANGE),
    values.Number: (True, "3", [3.0], *STRANGE),
    values.Bytes: (True, 3.5, [3], *STRANGE),
    values.Flag: (0, 1, "yes", "", (), *STRANGE),
    texts.Word: (True, 3, ["natural"], *STRANGE),
    texts.RowName: (True, 3, ["guided"], *STRANGE),
    texts.Text: (True, 3, ["a"], *STRANGE),
    texts.Place: (True, 3, ["a"], *STRANGE),
    texts.Anything: (True, 3, (), [], {}),
    texts.SiteAddress: (True, 3, ["https://a.example/"], *STRANGE),
    ClusterAddress: (True, 3, ["auto"], *STRANGE),
    texts.Reporter: (3, "bars", *STRANGE),
    sequences.Several: ("guided", 3, (), [], [3], *STRANGE),
    sequences.Bindings: (3, "a", {"a": "b"}, {"a b": 1}, {"a": nan}, {}, [], object()),
    sequences.Names: (3, (), [], [3], *STRANGE),
    sequences.LayersUnits: (
        3,
        "a",
        {},
        {"a": ()},
        {"a": 1},
        {"a": ["1"]},
        {3: [1]},
        {"": [1]},
        ["a:1"],
        object(),
        b"a:1",
    ),
    sequences.UnitNumbers: (3, (), [], [1.0], [True], "3", *STRANGE),
    sequences.Numbers: (3, ["1"], [nan], "0.5", *STRANGE),
    sequences.Shape: (3, (1, 2), (1, 2, 3.0), "3x2x2", *STRANGE),
    texts.Expectation: (3, "3x2x2", (3, 2, 2), *STRANGE),
    texts.Held: (),
}

OF_SHELLS = [(name, s.name) for name, verb in COMMANDS.items() for s in verb.settings if s.shell and not s.is_flag]
OF_THE_FACE = [(name, s.name) for name, verb in VERBS.items() if verb.face for s in verb.settings if s.face]


def setting_of(verb: str, name: str) -> Setting:
    return next(s for s in VERBS[verb.replace("-", "_")].settings if s.name == name)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch) -> Iterator[None]:
    """The folder in which all this happens, and in which nothing may be left."""
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


def refusal_of(verb: str, name: str, value: object) -> str:
    """What Python is told of a value."""
    with pytest.raises(ls.UsageError) as refusal:
        getattr(ls, verb.replace("-", "_"))(**needed(verb) | {name: value})
    return str(refusal.value)


@pytest.mark.parametrize(("verb", "name"), OF_SHELLS)
@pytest.mark.thin(8)
def test_what_a_shell_writes_wrongly_is_one_sentence(command, verb, name):
    """It names what was written, and what was expected, before anything is opened; Python gets the same sentence."""
    setting = setting_of(verb, name)
    for text, value in written(setting.kind):
        status, out, err = command(*line(verb, setting, text))
        assert (status, out, err.count("\n")) == (1, "", 1), (text, err)
        assert err.startswith(f"layerscope: {setting.written} must be "), (text, err)
        if setting.face and COMMANDS[verb].face:
            refusal = refusal_of(verb, name, value)
            assert refusal.replace(f"{name}=", setting.written, 1) == err.removeprefix("layerscope: ").rstrip("\n"), (
                text
            )


@pytest.mark.parametrize(("verb", "name"), OF_THE_FACE)
def test_what_python_gives_wrongly_is_one_sentence(verb, name):
    """Another type is refused, never parted, rounded or taken for something else; None only where it is a default."""
    setting = setting_of(verb, name)
    kind = setting.kind
    wrong = OF_PYTHON[type(inner(kind))]
    if not isinstance(kind, (values.Maybe, texts.Held, texts.Reporter, texts.Expectation)):
        wrong = (*wrong, None)
    if isinstance(kind, sequences.Several) and kind._empty:
        wrong = tuple(value for value in wrong if value not in ((), []))
    for value in wrong:
        refusal = refusal_of(verb, name, value)
        assert (
            refusal.startswith((f"{name}= must be ", "input must say what the network expects")) and "\n" not in refusal
        ), (
            value,
            refusal,
        )


@pytest.mark.parametrize("verb", VERBS)
def test_every_default_is_a_value(verb):
    """What stands where nothing was said is what the setting may be, in its plain form."""
    for setting in VERBS[verb].settings:
        if not setting.needed:
            assert setting.check(setting.default) == setting.default


def test_the_kinds_are_all_here():
    """No setting's kind is left out of the generator."""
    kinds = {type(inner(s.kind)) for verb in VERBS.values() for s in verb.settings}
    assert kinds == set(OF_PYTHON) - ({texts.Text} - kinds)


def test_a_shells_mistake_is_found_before_anything_heavy_is_loaded():
    """For every verb: neither torch nor NumPy nor Pillow is in memory when a value was refused."""
    lines = [
        line(verb, s, "") for verb in COMMANDS for s in COMMANDS[verb].settings if s.shell and any(written(s.kind))
    ]
    code = f"""
import sys
from layerscope.cli import main
assert all(main(words) == 1 for words in {lines!r})
print(sorted({{"torch", "numpy", "PIL", "matplotlib", "sqlite3"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
