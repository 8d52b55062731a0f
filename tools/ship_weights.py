"""Put a finished training run's weights into the package, in half precision, with its card.

python tools/ship_weights.py RUN NAME      # RUN/last.safetensors -> layerscope/models/weights/NAME.safetensors
"""

import json
import shutil
import sys
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

WEIGHTS = Path(__file__).parent.parent / "layerscope" / "models" / "weights"


def ship(run: Path, name: str) -> Path:
    """Returns the file written. The card is copied where the run has one."""
    with safe_open(run / "last.safetensors", framework="pt") as file:
        notes = file.metadata() or {}
    tensors = {key: tensor.half() for key, tensor in load_file(run / "last.safetensors").items()}
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise SystemExit(f"{run}: a weight is beyond what half precision holds")
    WEIGHTS.mkdir(exist_ok=True)
    out = WEIGHTS / f"{name}.safetensors"
    save_file(tensors, out, metadata=notes)
    for card in run.glob("card.*"):
        shutil.copy(card, WEIGHTS / f"{name}.card{card.suffix}")
    return out


if __name__ == "__main__":
    written = ship(Path(sys.argv[1]), sys.argv[2])
    print(json.dumps({"file": written.name, "bytes": written.stat().st_size}))
