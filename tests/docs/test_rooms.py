"""The rooms are told alike in pyproject.toml, which enforces them, in architecture.md and in CONTRIBUTING.md."""

import ast
import re
import tomllib
from functools import cache

from tests.docs.pages import DOCS, ROOT, rows, sections, text

PARTS = re.compile(r"Torch is known in (?P<all>[^.]*?), in parts of (?P<some>[^.]*?), and\s+nowhere else")


@cache
def contracts() -> dict[str, dict]:
    """import-linter's contracts, by their type."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["type"]: contract for contract in pyproject["tool"]["importlinter"]["contracts"]}


def layers() -> list[set[str]]:
    """The rooms from the top, those that stand side by side together."""
    return [set(re.findall(r"\w+", layer)) for layer in contracts()["layers"]["layers"]]


def table() -> dict[str, str]:
    """architecture.md: what it says of torch, by room."""
    return {room: torch for room, _, torch in rows(sections(DOCS / "architecture.md", 2)["Rooms"])}


def words(part: str) -> set[str]:
    """What a text names in backticks."""
    return set(re.findall(r"`(\w+)`", part))


def loads_torch(room: str) -> bool:
    """Some module of the room imports torch or torchvision, at its top or within, not only for its annotations."""
    for path in (ROOT / "layerscope" / room).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for block in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
            if ast.unparse(block.test) == "TYPE_CHECKING":
                block.body = [ast.Pass()]
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] in ("torch", "torchvision") for name in names):
                return True
    return False


def test_every_folder_is_a_room():
    """The rooms of pyproject.toml are the package's folders."""
    folders = {path.parent.name for path in (ROOT / "layerscope").glob("*/__init__.py")}
    assert set().union(*layers()) == folders


def test_contributing_names_the_rooms_in_their_order():
    """From the top, those of one height together."""
    documented = re.search(r"Rooms, from the top: (.*?)\.", text(ROOT / "CONTRIBUTING.md"), re.DOTALL)
    assert documented is not None
    assert [words(level) for level in documented[1].split(">")] == layers()


def test_architecture_has_a_row_for_each_room():
    """No fewer, no others, none twice, and none above a room that is higher."""
    documented = [room for room, *_ in rows(sections(DOCS / "architecture.md", 2)["Rooms"])]
    assert len(documented) == len(set(documented))
    heights = {room: height for height, level in enumerate(layers()) for room in level}
    assert set(documented) == set(heights)
    assert [heights[room] for room in documented] == sorted(heights[room] for room in documented)


def test_architecture_says_which_rooms_stand_side_by_side():
    """Groups of one height, as pyproject.toml has them."""
    documented = re.search(
        r"Rooms of one height do not know each other: (.*?)\.", text(DOCS / "architecture.md"), re.DOTALL
    )
    assert documented is not None
    assert [words(group) for group in documented[1].split(";")] == [level for level in layers() if len(level) > 1]


def test_what_is_said_of_torch_is_so():
    """A room that is said to know no torch loads none; every other loads it somewhere."""
    assert {room for room, torch in table().items() if not torch.startswith("no")} == set(filter(loads_torch, table()))


def test_contributing_names_the_rooms_that_know_torch():
    """All of a room where architecture.md says yes, parts where it says which."""
    documented = PARTS.search(text(ROOT / "CONTRIBUTING.md"))
    assert documented is not None
    assert words(documented["all"]) == {room for room, torch in table().items() if torch == "yes"}
    assert words(documented["some"]) == {room for room, torch in table().items() if not re.match("yes$|no", torch)}


def test_the_contract_forbids_torch_where_it_can():
    """Rooms that import-linter keeps free of torch are among those that are said to know none."""
    kept = {module.removeprefix("layerscope.") for module in contracts()["forbidden"]["source_modules"]}
    assert kept <= {room for room, torch in table().items() if torch.startswith("no")}
