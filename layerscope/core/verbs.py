"""The table of verbs: what each is called, its sentence, and the settings that it takes.

From it come the parser with its help, completion, the checks, the functions of the package and the reference pages.
The settings are loaded when they are asked for: a list of the verbs does without.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

from layerscope.core.errors import UsageError

# As in `typing`, which a list of the verbs is not to wait for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from layerscope.core.setting import Apart, Group, Setting


class Verb:
    """A verb of the command line and of the package.

    sentence: what it does, as an order without a full stop. apart: what does not go together. resumes: whether the same
    command goes on with what was stopped. face: whether it is a function of the package too; shell: whether it is a
    verb of the command line.
    """

    def __init__(
        self,
        name: str,
        sentence: str,
        arguments: "Callable[[Any], tuple[Setting[Any] | Group, ...]]",
        *,
        apart: "Callable[[Any], tuple[Apart, ...]]" = lambda s: (),
        resumes: bool = False,
        shell: bool = True,
        face: bool = True,
    ) -> None:
        """arguments, apart: from the table of settings."""
        self.name, self.sentence, self._arguments, self._apart = name, sentence, arguments, apart
        self.resumes, self.shell, self.face = resumes, shell, face

    @cached_property
    def arguments(self) -> "tuple[Setting[Any] | Group, ...]":
        """Settings, and groups of them, in the order of the help."""
        from layerscope.core import settings

        return self._arguments(settings)

    @property
    def settings(self) -> "Iterator[Setting[Any]]":
        """All of them, in the order of the help."""
        from layerscope.core.setting import Group

        for argument in self.arguments:
            yield from argument.settings if isinstance(argument, Group) else (argument,)

    def checked(self, given: Mapping[str, object]) -> "dict[str, Any]":
        """What Python gave, by name, each in its plain form. Raises UsageError."""
        known = {setting.name: setting for setting in self.settings}
        found = {name: known[name].check(value) if name in known else value for name, value in given.items()}
        self.require_together({name for name in known if name in found and _says(known[name], found[name])}, "face")
        return found

    def require_together(self, given: Collection[str], face: str) -> None:
        """Raises UsageError where two settings were given that exclude each other, or what is needed was not.

        face: "shell" or "face", for the way in which the names are written.
        """
        from layerscope.core import settings
        from layerscope.core.setting import Group

        for one in self.settings:
            if one.unless and one.name not in given and one.unless not in given:
                raise UsageError(f"{_written(one, face)} is missing: {one.sentence}")
        for group in self.arguments:
            if not isinstance(group, Group) or not (group.alone or group.needed):
                continue
            named = [_written(one, face) for one in group.settings if one.name in given]
            if group.alone and len(named) > 1:
                raise UsageError(f"{named[1]} does not go with {named[0]}; give one of them")
            if group.needed and not named:
                raise UsageError(f"give {' or '.join(_written(one, face) for one in group.settings)}")
        for rule in self._apart(settings):
            wrong = [one for one in self.settings if one.name in rule.names and one.name in given]
            if wrong and rule.when(given):
                raise UsageError(f"{_written(wrong[0], face)} does not go with {rule.what}; leave it out")


def _says(setting: "Setting[Any]", value: object) -> bool:
    return setting.needed or value != setting.default


def _written(setting: "Setting[Any]", face: str) -> str:
    return setting.written if face == "shell" else f"{setting.name}="


def _filters(given: Collection[str]) -> bool:
    return "filters" in given


def _no_layer(given: Collection[str]) -> bool:
    return not {"layer", "filters"} & set(given)


def _unit(given: Collection[str]) -> bool:
    return "unit" in given


_ALL = (
    Verb(
        "layers",
        "list the layers of a network, with their receptive fields; needs no weights",
        lambda s: (
            s.NET,
            s.Setting("auto", s.Flag(), "only the layers that `auto` means", False),
            s.WEIGHTS,
            s.EXPECTED,
        ),
    ),
    Verb(
        "build",
        "scan images with a network, project its peaks, write an atlas; resumes",
        lambda s: (
            s.NET,
            s.READ,
            s.out("the atlas; a build into it goes on", "FILE", unless="dry_run").asked(),
            s.OVERWRITE,
            s.DRY_RUN.but(face=False),
            s.WEIGHTS,
            s.EXPECTED,
            s.HELD,
            s.GOING,
        ),
        resumes=True,
    ),
    Verb(
        "forecast",
        "tell what a build will take",
        lambda s: (
            s.NET,
            s.READ,
            s.WEIGHTS,
            s.EXPECTED,
            s.HELD,
            s.Group("how it runs", s.WORKERS, s.DEVICE, s.NO_PROGRESS),
        ),
        shell=False,
    ),
    Verb(
        "show",
        "print the layers of an atlas, the units of a layer, or the peaks of a unit",
        lambda s: (s.ATLAS, s.LAYER.but(sentence="its units, highest maximum first"), s.UNIT),
    ),
    Verb(
        "figure",
        "draw a plate of a layer, the page of a unit, first-layer filters, or an overview",
        lambda s: (
            s.ATLAS,
            s.LAYER,
            s.out(f"{s.FIGURE}; one that exists is replaced", "PLATE").asked(),
            s.Group(
                "what is shown",
                s.SHOWN_UNITS,
                s.SHOWN_COUNT,
                s.Setting("unit", s.UNIT.kind, "the page of one unit", None, metavar="N"),
                s.FILTERS,
                alone=True,
            ),
            s.METHOD,
            s.VIEW.asked(told="natural"),
            s.SHARED_SCALE,
            s.FIGURE_WIDTH,
            s.DPI,
        ),
        apart=lambda s: (
            s.Apart(_filters, "the filters of a layer", "method", "view"),
            s.Apart(
                _no_layer,
                "an overview of all layers (none was named)",
                "units",
                "unit",
                "method",
                "shared_scale",
            ),
            s.Apart(
                _unit,
                "the page of a unit, which shows every method and view",
                "method",
                "view",
                "shared_scale",
            ),
        ),
    ),
    Verb(
        "serve",
        "show atlases in the browser, from this machine",
        lambda s: (
            s.ATLAS.but(
                kind=s.Anything("one or more atlases", path=True, repeated="+", python="str, Path, or a list"),
                sentence="atlases that `layerscope build` wrote",
            ),
            s.SERVED,
        ),
    ),
    Verb(
        "live",
        "show an atlas in the browser with its network, which watches a camera or pictures",
        lambda s: (s.ATLAS, s.NET, s.WEIGHTS, s.SERVED),
    ),
    Verb(
        "look",
        "write a page of the units that a picture of your own excites at every layer",
        lambda s: (
            s.ATLAS,
            s.NET,
            s.PICTURE,
            s.out("an `.html` file; one that exists is replaced", "PAGE"),
            s.METHOD.but(told="that of the deepest layer's plate"),
            s.ORIENTATION,
            s.MAX_PIXELS.but(sentence="refuse a larger picture"),
            s.WEIGHTS,
        ),
    ),
    Verb(
        "export",
        "write an atlas as a folder of web pages that opens anywhere, without a server",
        lambda s: (
            s.ATLAS,
            s.FOLDER,
            s.LAYERS.asked(told="all"),
            s.EXPORT_TILE,
            s.BUDGET,
            s.PHOTOGRAPHS,
            s.PROJECTIONS,
            s.OVERWRITE.but(
                sentence="replace an earlier export in DIR; a folder with anything else in it is left alone"
            ),
            s.DRY_RUN.but(sentence="only count and estimate; writes nothing"),
            s.PROGRESS,
        ),
    ),
    Verb(
        "info",
        "print what made an atlas and what it holds",
        lambda s: (s.ATLAS,),
    ),
    Verb(
        "check",
        "compute a sample of an atlas's peaks again and compare",
        lambda s: (
            s.ATLAS,
            s.NET,
            s.READ,
            s.WEIGHTS,
            s.EXPECTED,
            s.SAMPLE,
            s.SEED.but(sentence="seed of the sample", stored=""),
        ),
    ),
    Verb(
        "dissect",
        "find which unit detects which concept, on pictures whose content is known",
        lambda s: (
            s.ATLAS,
            s.NET.asked(told="what the atlas names"),
            s.Group("pictures and their masks", s.WORLD, s.MASKS, alone=True, needed=True),
            s.MASKED,
            s.SEED.but(sentence="of the world's pictures and of the baselines", stored=""),
            s.WEIGHTS,
            s.PROGRESS,
        ),
    ),
    Verb(
        "evolve",
        "show how features develop over the checkpoints of a training run",
        lambda s: (
            s.RUN,
            s.READ,
            s.out(s.FIGURE, "FIGURE"),
            s.OVERWRITE.but(sentence="replace FIGURE where it exists"),
            s.LAYERS.asked(told="those of `auto` that have a map"),
            s.EVOLVE_UNITS,
            s.SEED.but(sentence="seed of the sample", stored=""),
            s.Setting("method", s.METHOD_NAME, s.METHOD.sentence, lambda: s.METHODS.default[0], metavar="METHOD"),
            s.VIEW,
            s.PROGRESS,
        ),
    ),
    Verb(
        "train",
        "train a network that layerscope brings along; resumes",
        lambda s: (
            s.TRAINED,
            s.DATA,
            s.VALIDATE,
            s.out("the run's folder; a run in it goes on", "DIR"),
            s.RECIPE,
            s.Group(
                "how it runs",
                s.DEVICE.asked(told="a GPU where there is one"),
                s.BF16,
                s.PROGRESS,
            ),
        ),
        resumes=True,
    ),
    Verb(
        "evaluate",
        "count how often a network is right about pictures whose classes are known",
        lambda s: (
            s.NET,
            s.DATA,
            s.CLASSES,
            s.LIMIT.but(sentence="only the first N pictures"),
            s.DEVICE,
            s.WEIGHTS,
            s.EXPECTED,
            s.PROGRESS,
        ),
    ),
    Verb(
        "ops",
        "list the operations that networks may be made of, and those declined",
        lambda s: (),
    ),
    Verb(
        "plugins",
        "list what can be chosen by name and who brings it: methods, networks, codecs, and more",
        lambda s: (),
    ),
    Verb(
        "demo",
        "look into a small trained network with pictures of known content: atlas, plates, a report",
        lambda s: (s.out("the folder to fill", "DIR", default="demo"), s.DEMO_COUNT, s.KNOWN, s.PROGRESS),
        resumes=True,
    ),
    Verb(
        "world",
        "write pictures whose content is known, with masks of every concept; resumes",
        lambda s: (
            s.out("the folder to fill; the same world, unfinished, goes on", "DIR"),
            s.WORLD_COUNT,
            s.SEED.but(sentence="another seed is another world", stored=""),
            s.SIZE,
            s.SHARDS,
            s.PROGRESS,
        ),
        resumes=True,
    ),
    Verb(
        "completion",
        "print a completion script for a shell",
        lambda s: (s.SHELL,),
        face=False,
    ),
    # What Python has beside the verbs of the command line.
    Verb(
        "trace",
        "trace a network",
        lambda s: (
            s.Setting("model", s.Held("torch.nn.Module, exported program or str"), "a network"),
            s.INPUT,
            s.WEIGHTS,
            s.WITH_WEIGHTS,
        ),
        shell=False,
    ),
    Verb(
        "images",
        "open images in their fixed order",
        lambda s: (s.IMAGES.but(name="source"), *s.READ.settings[1:]),
        shell=False,
    ),
)

VERBS: dict[str, Verb] = {verb.name: verb for verb in _ALL}
# The verbs of the command line, in the order of its help.
COMMANDS: dict[str, Verb] = {name: verb for name, verb in VERBS.items() if verb.shell}
