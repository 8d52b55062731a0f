"""The tree of the command line is the table of verbs, and wrong usage is one sentence."""

import pkgutil

import pytest

from layerscope.cli import main
from layerscope.cli import verbs as cli_verbs
from layerscope.cli.parser import parse, settings_of
from layerscope.core.errors import UsageError
from layerscope.core.verbs import COMMANDS


def test_every_verb_has_a_module_that_carries_it_out():
    """No verb without one, and no module without a verb."""
    assert {module.name for module in pkgutil.iter_modules(cli_verbs.__path__)} == {
        verb.name for verb in COMMANDS.values()
    }


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_tells_every_setting(verb, capsys):
    """Each has a sentence that stands in the help of its verb, with its option or its place."""
    with pytest.raises(SystemExit):
        parse([verb, "--help"])
    help_text = " ".join(capsys.readouterr().out.replace("-\n", "-").split())
    for setting in settings_of(COMMANDS[verb]):
        assert setting.sentence and (setting.option or setting.metavar) in help_text
        assert " ".join(setting.help.replace("`", "").split())[:40] in help_text.replace("- ", "-")


def test_a_build_in_full():
    """Options end as values of the types that build takes, by its own names."""
    what = "--layers f.* --layers g --method guided,gradient --method deconvnet --k 4 --units 8 --no-thumbnails"
    line = f"build net.py:f --images a.tar b.tar -o x.atlas --input 1x8x9 --mean 0.5 {what}"
    command = parse(line.split())
    values = command.values
    assert (values["net"], values["images"], values["out"]) == ("net.py:f", ["a.tar", "b.tar"], "x.atlas")
    assert values["layers"] == ("f.*", "g")
    assert values["methods"] == ("guided", "gradient", "deconvnet")
    assert (values["k"], values["units"], values["shape"], values["mean"]) == (4, 8, (1, 8, 9), (0.5,))
    assert values["thumbnails"] is False and not command.json and command.remarks == ()


def test_an_earlier_name_of_an_option_is_still_taken():
    """It does the same, and its new name is said."""
    command = parse(["build", "n", "--images", "a", "-o", "x.atlas", "--no-pictures"])
    assert command.values["thumbnails"] is False
    assert command.remarks == ("--no-pictures is now called --no-thumbnails",)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "say what to do: layers, build"),
        ("bild", 'no verb "bild"; did you mean build or find?'),
        ("xyzzy", 'no verb "xyzzy"; the verbs are layers, build'),
        ("build x --imgaes y", 'build has no option "--imgaes"; did you mean --images'),
        ("show x --verbose=1", 'show has no option "--verbose"'),
        ("build x", "required: --images; see layerscope build --help"),
        ("build x --images y", "--out is missing: the atlas"),
        ("figure x", "required: -o/--out; see layerscope figure --help"),
        ("export x", "DIR is missing: the folder to fill"),
        ("show x layer unit", 'UNIT must be a whole number of at least 0, got "unit"'),
        ("show x layer 1 2", "unrecognized arguments: 2"),
        ("build x --images y -o z --k 0", "--k must be a whole number from 1 to 128, got 0"),
        ("build x --images y --over", 'no option "--over"; did you mean --'),
        ("figure x l -o p.png --unit 1 --units 2", "--unit does not go with --units; give one of them"),
        ("figure x -o p.png --unit 1", "--unit does not go with an overview of all layers"),
        ("build x --images y -o z --codec gif", '--codec must be one of jpeg, webp, webp-lossless, png, got "gif"'),
        ("dissect x", "give --world or --masks"),
        ("completion", "required: SHELL"),
    ],
)
def test_wrong_usage_is_a_sentence_that_names_it(line, sentence):
    """What was wrong is said, with the nearest right word or where to look; nothing is guessed from a beginning."""
    with pytest.raises(UsageError) as refusal:
        parse(line.split())
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def needed(verb):
    """The words of a command that gives what it must, and nothing that exists."""
    for setting in settings_of(COMMANDS[verb]):
        if setting.needed or setting.shell_needs or setting.unless:
            yield from ([setting.option] if setting.option else [])
            yield "missing"


@pytest.mark.parametrize(
    "verb", [verb for verb in COMMANDS if any(s.placed and s.needed for s in settings_of(COMMANDS[verb]))]
)
def test_what_must_be_given_is_enough_to_be_understood(verb, tmp_path, monkeypatch, capsys):
    """With nothing but that, each verb says in one sentence what does not exist; no file is left."""
    monkeypatch.chdir(tmp_path)
    assert main([verb, "--quiet", *needed(verb)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
