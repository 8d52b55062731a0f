"""A recipe: phases in proportion, a schedule with known ends, the paper's own numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.errors import UsageError
from layerscope.training.recipe import RECIPES, Phase, Recipe, recipe_of

phases = st.lists(st.builds(Phase, side=st.integers(16, 64), epochs=st.integers(1, 9)), min_size=1, max_size=4)


@given(phases, st.integers(1, 60))
def test_other_epochs_keep_the_phases(phases, epochs):
    """The sum is what was asked for; every phase has its turn where there are epochs enough, else the last ones."""
    recipe = Recipe(phases=tuple(phases)).with_epochs(epochs)
    assert recipe.epochs == epochs
    kept = phases[-min(epochs, len(phases)) :]
    assert [phase.side for phase in recipe.phases] == [phase.side for phase in kept]
    assert [recipe.side(epoch) for epoch in range(epochs)] == [p.side for p in recipe.phases for _ in range(p.epochs)]


@given(phases)
def test_the_same_epochs_are_the_same_recipe(phases):
    """Proportions that come out even change nothing."""
    recipe = Recipe(phases=tuple(phases))
    assert recipe.with_epochs(recipe.epochs) == recipe


def test_one_cycle_goes_up_and_down():
    """From 4 % of the rate up to it at `warm`, down to 0 at the end, without a jump."""
    recipe = Recipe(phases=(Phase(side=32, epochs=1),), rate=0.2)
    rates = [recipe.one_cycle(progress / 1000) for progress in range(1001)]
    assert rates[0] == pytest.approx(0.008) and max(rates) == rates[250] == 0.2 and rates[-1] == pytest.approx(0)
    assert max(abs(a - b) for a, b in pairwise(rates)) < 0.001


def test_the_papers_recipe_is_section_3s():
    """Batches of 128, rate 0.01, momentum 0.9, dropout 0.5, filter RMS 0.1, first weights of 0.01, 70 epochs."""
    for name in RECIPES:
        recipe = recipe_of(name, "paper")
        assert (recipe.batch, recipe.rate, recipe.momentum, recipe.dropout) == (128, 0.01, 0.9, 0.5)
        assert (recipe.filter_rms, recipe.start_std, recipe.epochs, recipe.schedule) == (0.1, 0.01, 70, "plateau")
        assert recipe.phases[0].side == {"zfnet": 224}.get(name, 64)
    assert recipe_of("zfnet", "default") == recipe_of("zfnet", "paper")


def test_a_further_cycle_is_gentler_and_smooths_the_filters():
    """Half the rate, two epochs at the size before the last, five at full size; first weights are not drawn anew."""
    for name, own in RECIPES.items():
        recipe = recipe_of(name, "further")
        assert recipe.rate == own.rate / 2 and recipe.start_blur == 0.7 and recipe.start_std is None
        assert recipe.phases[-1] == Phase(side=own.phases[-1].side, epochs=5)
        assert [phase.side for phase in recipe.phases[:-1]] == [phase.side for phase in own.phases[-2:-1]]


def test_a_recipe_in_words():
    """The card's sentence names what was done, and nothing that was not."""
    words = recipe_of("zfnet", "paper").words
    assert "70 epochs (70 at 224 px)" in words and "root mean square of 0.1" in words and "smoothing" not in words
    assert "Nesterov" not in words and "no weight decay" in words
    assert "weight decay 0.0005 on weights only" in RECIPES["zfnet64"].words


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Recipe(phases=()), "at least one phase"),
        (lambda: Recipe(phases=(Phase(side=32, epochs=0),)), "epochs of at least 1"),
        (lambda: Recipe(phases=(Phase(side=32, epochs=1),), schedule="linear"), 'no schedule "linear"'),
        (lambda: Recipe(phases=(Phase(side=32, epochs=1),), batch=1), "at least 2 pictures"),
        (lambda: recipe_of("zfnet64", "mine"), 'no recipe "mine"; the recipes are default, further and paper'),
        (lambda: RECIPES["zfnet64"].with_epochs(0), "epochs must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    """One sentence."""
    with pytest.raises(UsageError, match=sentence):
        make()
