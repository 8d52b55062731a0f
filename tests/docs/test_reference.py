"""The reference is complete and says nothing that is not so: verbs, options, rows, errors, tables, names."""

import inspect
import re
import runpy
import sqlite3

import pytest

import layerscope as ls
from layerscope.atlas.schema import TABLES
from layerscope.cli.parser import options_of, settings_of
from layerscope.core import errors
from layerscope.core.methods import Method
from layerscope.core.picture_forms import PICTURE_FORMS
from layerscope.core.setting import Setting
from layerscope.core.settings import JSON, QUIET
from layerscope.core.verbs import COMMANDS, VERBS
from layerscope.graph.ops import ROWS
from layerscope.graph.ops.refused import REASONS
from layerscope.graph.ops.table import Op
from tests.docs.pages import DOCS, ROOT, rows, sections, text

COMMAND_LINE = DOCS / "reference" / "command-line.md"
SHARED = "What several verbs take"
MAKING = runpy.run_path(str(DOCS / "make_reference.py"))


def settings(verb: str) -> list[Setting]:
    return list(settings_of(COMMANDS[verb]))


def named_options(part: str) -> set[str]:
    """The options that a section's tables list."""
    return {option for first, *_ in rows(part) for option in re.findall(r"(?<!\w)--?[a-z][a-z0-9-]*", first)}


@pytest.mark.parametrize("page", MAKING["PAGES"])
def test_the_tables_of_settings_are_current(page):
    """They are what the table of settings gives; `python docs/make_reference.py` renews them."""
    written = text(DOCS / "reference" / page)
    assert MAKING["written"](written) == written


def test_every_verb_has_its_section():
    """The sections of the command line's page are the verbs, in the order of --help."""
    assert list(sections(COMMAND_LINE, 2)) == [SHARED, *COMMANDS]


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_option_is_documented(verb):
    """A verb's options are those of its section, of what several verbs share and of all verbs: no fewer, no others."""
    own, shared = named_options(sections(COMMAND_LINE, 2)[verb]), named_options(sections(COMMAND_LINE, 2)[SHARED])
    options = {option for setting in settings(verb) for option in options_of(setting)}
    everywhere = {option for setting in (JSON, QUIET) for option in options_of(setting)}
    assert own <= options
    assert options - everywhere - shared <= own
    assert named_options(text(COMMAND_LINE).split("## ")[0]) == everywhere


@pytest.mark.parametrize("verb", COMMANDS)
def test_shared_options_are_announced(verb):
    """A verb says that it takes images, or what the network expects, exactly where it does."""
    part = sections(COMMAND_LINE, 2)[verb]
    announced = next((line for line in part.splitlines() if line.startswith("Takes ")), "")
    names = {setting.name for setting in settings(verb)}
    assert ("images" in announced) == ("max_pixels" in names and "images" in names)
    assert ("what the network expects" in announced) == ("mean" in names)


@pytest.mark.parametrize("verb", COMMANDS)
def test_places_and_words_are_documented(verb):
    """What is told by its place, and the words of closed sets, stand in the verb's section or in the shared one."""
    part = sections(COMMAND_LINE, 2)[verb] + sections(COMMAND_LINE, 2)[SHARED]
    for setting in settings(verb):
        if setting.placed:
            assert re.search(rf"\b{setting.metavar}\b", part)
        for word in setting.kind.words:
            assert f"`{word}`" in part


def test_forms_of_pictures_are_told_as_their_rows_tell_them():
    """The table of the page is the rows' own, in their order."""
    listed = [row for row in rows(sections(COMMAND_LINE, 2)["show"]) if row[0] in PICTURE_FORMS.own]
    assert listed == [(row.name, row.sentence) for row in PICTURE_FORMS.own.values()]


def test_every_operation_is_documented():
    """The table of operations is the table: names, linearity, kinds of activation, rules and targets, in one order."""
    expected = [{**row, "linear": "yes" if row["linear"] else "no"} for row in ls.ops().rows]
    listed = [row for row in rows(text(DOCS / "reference" / "operations.md")) if len(row) == len(expected[0])]
    assert listed == [
        tuple(", ".join(value) if isinstance(value, list) else value or "" for value in row.values())
        for row in expected
    ]


def test_every_operation_is_described():
    """Each row has its words below the table."""
    described = sections(DOCS / "reference" / "operations.md", 2)["What each row does, and where it stops"]
    assert {name for line in described.splitlines() for name in re.findall(r"\*\*(\w+)\*\*", line)} == {
        r.name for r in ROWS
    }


def test_every_declined_operation_is_documented():
    """Declined operations stand with their reasons, word for word."""
    assert dict(rows(sections(DOCS / "reference" / "operations.md", 2)["Declined"])) == REASONS


@pytest.mark.parametrize(("page", "form"), [("add-an-op.md", Op), ("add-a-method.md", Method)])
def test_the_fields_of_a_row_are_documented(page, form):
    """The page lists the fields of a row, in their order."""
    (heading,) = [heading for heading in sections(DOCS / page, 2) if heading.startswith("The fields of a ")]
    listed = [name for row in rows(sections(DOCS / page, 2)[heading]) for name in row[0].split(", ")]
    assert listed == list(form.__dataclass_fields__)


def kinds_of_errors() -> dict[str, type]:
    return {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.LayerscopeError)
    }


def test_every_error_is_documented():
    """Every class of errors has its section, in the order of the tree; the tree is the module's own."""
    assert list(sections(DOCS / "errors.md", 2)) == list(kinds_of_errors())
    tree = re.search(r"^    LayerscopeError$.*?(?=\n\n)", errors.__doc__ or "", re.MULTILINE | re.DOTALL)
    assert tree is not None
    assert inspect.cleandoc(tree[0]) in text(DOCS / "errors.md")


def source_text() -> str:
    """All of the package's code, with texts that go over several lines joined."""
    code = "\n".join(path.read_text() for path in sorted((ROOT / "layerscope").rglob("*.py")))
    return re.sub(r"[\"']\s*\n\s*f?[\"']", "", code)


def test_quoted_messages_are_the_programs():
    """Each message that the page on errors quotes stands so in the code."""
    code = source_text()
    quoted = [row[0] for part in sections(DOCS / "errors.md", 2).values() for row in rows(part)]
    assert len(quoted) > 40
    assert [message for message in quoted if message not in code] == []


def columns() -> dict[str, list[str]]:
    """The tables of an atlas with their columns, as SQLite understands the schema."""
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(TABLES)
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").fetchall()
        return {
            table: [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")] for (table,) in tables
        }


def test_every_table_and_column_is_documented():
    """The sections of the atlas's page are its tables, and their rows the columns, in order."""
    page = sections(DOCS / "reference" / "atlas.md", 2)
    assert {table: [name for name, _ in rows(part)] for table, part in page.items()} == columns()


PYTHON = DOCS / "reference" / "python.md"


def test_every_public_name_is_documented():
    """Each public name has its section, and there is no other."""
    assert sorted(name.replace("\\", "") for name in sections(PYTHON, 3)) == sorted(ls.__all__)


@pytest.mark.parametrize("verb", [name for name in ls.__all__ if name in VERBS or name == "open"])
def test_every_parameter_is_documented(verb):
    """A verb's section names each of its parameters, in its table or in the call that it shows."""
    part = sections(PYTHON, 3)[verb]
    for name in inspect.signature(getattr(ls, verb)).parameters:
        assert re.search(rf"`[^`\n]*\b{name}\b", part), name


MEMBERS = {
    name: getattr(ls, name)
    for name in ls.__all__
    if inspect.isclass(getattr(ls, name)) and not issubclass(getattr(ls, name), Exception)
}


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_is_documented(name):
    """A class's section names its fields, properties and methods."""
    part = sections(PYTHON, 3)[name]
    kind = MEMBERS[name]
    fields = list(getattr(kind, "__dataclass_fields__", ()))
    public = [member for member in vars(kind) if not member.startswith("_")]
    for member in {*fields, *public}:
        assert re.search(rf"`{member}\b|`\w+\.{member}\b", part), f"{name}.{member}"


@pytest.mark.parametrize("verb", ["trace"])
def test_shown_defaults_are_true(verb):
    """Where a section shows a verb's call with its defaults, these are the code's."""
    shown = re.search(rf"`ls\.{verb}\((.*?)\)`", sections(PYTHON, 3)[verb])
    assert shown is not None
    parameters = inspect.signature(getattr(ls, verb)).parameters.values()
    for parameter in parameters:
        if parameter.default is not inspect.Parameter.empty:
            assert f"{parameter.name}={parameter.default!r}".replace("'", '"') in shown[1]
