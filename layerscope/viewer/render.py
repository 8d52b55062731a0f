"""Templates: one environment for server and export, everything escaped, a name that is missing is an error."""

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

from layerscope.core.numbers import unbroken
from layerscope.facts.reading import FOLLOWED, PLAIN_GRAY
from layerscope.viewer import words
from layerscope.viewer.pages import PAGES, Page, all_pages

STATIC = files("layerscope.viewer") / "static"
# A name longer than this is cut where it is shown; the JSON has it whole.
LONGEST = 1000
# What cannot be seen, or turns the text around it to the left, would make a name look like another.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# What keeps a text from being written as it is.
SPECIAL = re.compile(UNSEEN.pattern[:-1] + "&<>\"']")
ASSETS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


_OURS = PackageLoader("layerscope.viewer")


class OfPages(BaseLoader):
    """The templates that pages bring themselves, by `Page.source`: a text of theirs, or a file of their package."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        page = next((page for page in all_pages() if page.source == template), None)
        if page is None or not (page.text or ":" in page.template):
            raise TemplateNotFound(template)
        return page.text or _file(page), None, None

    def list_templates(self) -> list[str]:
        return [page.source for page in all_pages() if page.text or ":" in page.template]


def _file(page: Page) -> str:
    package, _, name = page.template.partition(":")
    return (files(package) / name).read_text(encoding="utf-8")


class Writing(CodeGenerator):
    """Templates as code in which each value is written by one call: a page has a thousand, most of which are plain."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write("environment.finalize(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(")")


class Templates(Environment):
    """All values are escaped, whatever a template is called."""

    code_generator_class = Writing


@cache
def environment() -> Environment:
    """The templates of the viewer and of its pages."""
    made = Templates(
        loader=ChoiceLoader([_OURS, OfPages()]), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=written, auto_reload=False,
    )  # fmt: skip
    made.filters |= words.FILTERS
    made.globals |= words.TERMS | {"followed": FOLLOWED, "plain_gray": PLAIN_GRAY}
    return made


def shown(value: Any) -> Any:
    """A value as a page shows it: a text, which may come from a stranger, is short and has no control characters.

    Markup is of our own making and stays.
    """
    if type(value) is not str:
        return value
    text = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    return UNSEEN.sub("\ufffd", text)


def written(value: Any) -> str:
    """A value as it stands in HTML: what `shown` shows, escaped; markup stays."""
    kind = type(value)
    if kind is str and len(value) <= LONGEST and not SPECIAL.search(value):
        return value
    if kind is int or kind is float:
        return str(value)
    return value if kind is Markup else escape(shown(value))


def render(template: str, **values: Any) -> str:
    """A template with these values as HTML text."""
    return unbroken(environment().get_template(template).render(**values))


def look() -> str:
    """What changes when any template, style sheet or script does, or a page is added."""
    return _look_of(PAGES.names)


@cache
def _look_of(names: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(asset_marks()).encode())
    for template in environment().list_templates():
        source, _, _ = environment().loader.get_source(environment(), template)  # type: ignore[union-attr]
        digest.update(source.encode())
    return digest.hexdigest()[:12]


@cache
def assets() -> dict[str, bytes]:
    """The viewer's own style sheets and scripts by name, those of others as "vendor/NAME"."""
    found = {file.name: file for file in STATIC.iterdir() if file.is_file()}
    found |= {f"vendor/{file.name}": file for file in (STATIC / "vendor").iterdir()}
    return {name: file.read_bytes() for name, file in sorted(found.items()) if name.rpartition(".")[2] in ASSETS}


@cache
def asset_marks() -> dict[str, str]:
    """By name, what changes when a style sheet or script does."""
    return {name: hashlib.sha256(content).hexdigest()[:12] for name, content in assets().items()}
