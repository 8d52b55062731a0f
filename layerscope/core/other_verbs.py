"""The rest of the table of verbs (`core/verbs.py`): training, the world, what there is, and Python's own."""

from collections.abc import Collection

from layerscope.core.verb import Verb

TYPE_CHECKING = False  # see core/verb.py
if TYPE_CHECKING:
    from typing import Any

    from layerscope.core.setting import Setting


def _known(given: Collection[str]) -> bool:
    return "known" in given


def _diff(s: "Any") -> "tuple[Setting[Any], ...]":
    from layerscope.core.diff_settings import AFTER, BEFORE, FAIL_ON, LEAST

    return BEFORE, AFTER, LEAST, FAIL_ON


def _merge(s: "Any") -> "tuple[Setting[Any], ...]":
    from layerscope.core.merge_settings import MERGED

    return MERGED, s.out("the new atlas", "ATLAS"), s.PROGRESS


OTHERS = (
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
                s.DEVICE.asked(default_text="a GPU where there is one"),
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
            s.TRUST,
            s.BIND,
            s.EXPECTED,
            s.PROGRESS,
        ),
    ),
    Verb(
        "ablate",
        "take units out of a network, and count what it loses beside what it loses without others",
        lambda s: (
            s.NET,
            s.causes.CHANGED_UNITS,
            s.READ,
            s.CLASSES,
            s.causes.OWN_PREDICTIONS,
            s.ATLAS.but(
                sentence="the network's atlas, which `--to-mean` takes means of; another network's is refused",
                placed=False,
            ).asked(),
            s.Group("what becomes of the units", s.causes.TO_MEAN, s.causes.SCALE, alone=True),
            s.causes.DRAWS,
            s.SEED.but(sentence="of the draws", stored=""),
            s.causes.MOST,
            s.causes.PREDICTED,
            s.DEVICE,
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
            s.EXPECTED,
            s.PROGRESS,
        ),
    ),
    Verb(
        "diff",
        "tell what changed between two atlases, unit by unit, the worst first",
        _diff,
    ),
    Verb(
        "merge",
        "make one atlas of several over different images, which `build` then goes on with",
        _merge,
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
        lambda s: (
            s.out("the folder to fill", "DIR", default="demo"),
            s.DEMO_COUNT,
            s.KNOWN,
            s.INTERVENE.but(default=True, sentence="take no concepts out of pictures: names are told by overlap alone"),
            s.PROGRESS,
        ),
        apart=lambda s: (s.Apart(_known, "the known network", "intervene"),),
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
            s.TRUST,
            s.BIND,
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
