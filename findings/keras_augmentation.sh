#!/usr/bin/env bash
# Keras 3.15.1: model(x) augments. Layers that augment are off in predict, and on where a model is called without training=.
#
# A good guess: RandomFlip and its kin act in fit alone; "during inference time, the output will be identical to input. Call
# the layer with `training=True` to flip the input", says its documentation, and model(x) is inference for Dropout.
# What it does, on JAX (0.10.2, run here) as on torch 2.14.1 and TensorFlow 2.21: model(x) flips pictures at random;
# model.predict(x) and model(x, training=False) do not, and Dropout is off in all three. Linux, Python 3.11.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import keras
import numpy as np

inputs = keras.Input((4, 4, 3))
flipping = keras.Model(inputs, keras.layers.RandomFlip("horizontal", seed=1)(inputs))
dropping = keras.Model(inputs, keras.layers.Dropout(0.5, seed=1)(inputs))
pictures = np.arange(16 * 48, dtype="float32").reshape(16, 4, 4, 3)


def changed(model, ways):
    return [bool((np.asarray(way(model)) != pictures).any()) for way in ways]


ways = (lambda m: m(pictures), lambda m: m(pictures, training=False), lambda m: m.predict(pictures, verbose=0))
print(f"keras {keras.__version__}: changed by model(x), by model(x, training=False), by predict:",
      f"RandomFlip {changed(flipping, ways)}, Dropout {changed(dropping, ways)}")
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2
seen=$(KERAS_BACKEND=jax "$place/env/bin/python" "$place/ask.py" 2>/dev/null)
echo "$seen"
expected="keras 3.15.1: changed by model(x), by model(x, training=False), by predict: RandomFlip [True, False, False], Dropout [False, False, False]"
[ "$seen" = "$expected" ]
