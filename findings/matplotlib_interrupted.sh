#!/usr/bin/env bash
# Matplotlib 3.11.2: Ctrl-C that arrives while the Agg renderer asks for a clip box comes out as ValueError("Invalid
# bounding box"), with no cause.
#
# A good guess: an exception that is raised by Python code which a compiled renderer calls comes out of it as itself.
# What it does: the conversion of the box drops whatever was raised (KeyboardInterrupt, MemoryError) and raises its own
# error, with neither __cause__ nor __context__: a program that saves figures sees neither that it was to end nor that
# memory was short. The same interrupt a moment earlier, in Python's part of drawing, ends the program as usual.
# Linux, Python 3.11, numpy 2.4.6.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import signal

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.transforms import Bbox

box, artist = False, False


class Interrupted(Bbox):
    """A clip box during which the interrupt arrives."""

    def get_points(self):
        if box:
            signal.raise_signal(signal.SIGINT)
        return super().get_points()


class Earlier(Artist):
    """An artist during which it arrives."""

    def draw(self, renderer):
        if artist:
            signal.raise_signal(signal.SIGINT)


figure, axes = plt.subplots()
dots = axes.scatter([0, 1], [0, 1])
dots.set_clip_path(None)
dots.set_clip_box(Interrupted([[0, 0], [400, 300]]))
axes.add_artist(Earlier())
figure.canvas.draw()


def seen():
    try:
        figure.canvas.draw()
    except BaseException as error:
        return f"{type(error).__name__} ({error}), cause {error.__cause__}, context {error.__context__}"
    return "nothing"


artist = True
print("in an artist:", seen())
box, artist = True, False
print("in a clip box:", seen())
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check "matplotlib==3.11.2" "numpy==2.4.6"
found=$("$place/env/bin/python" "$place/ask.py")
printf '%s\n' "$found"
[ "$found" = "in an artist: KeyboardInterrupt (), cause None, context None
in a clip box: ValueError (Invalid bounding box), cause None, context None" ]
echo "as seen"
