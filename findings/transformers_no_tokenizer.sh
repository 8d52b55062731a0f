#!/usr/bin/env bash
# transformers 5.24.0: a folder without a tokenizer gives one that knows no word, and all words of a length are the same.
#
# A good guess: AutoTokenizer.from_pretrained of a folder that holds config.json alone raises OSError ("Can't load tokenizer
# for ..."), as version 4 did and as AutoImageProcessor does where its file is missing.
# What it does, run here with a CLIP folder, tokenizers 0.23.3, offline, Linux, Python 3.11: a CLIPTokenizer of two or three
# entries comes back, nothing is raised, and every letter is the unknown token, so that "dog" and "cat" are one text.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import json
import sys

import transformers

with open(f"{sys.argv[1]}/config.json", "w") as file:
    json.dump({"model_type": "clip"}, file)
tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1], local_files_only=True)
dog, cat = tokenizer(["dog", "cat"])["input_ids"]
try:
    transformers.AutoImageProcessor.from_pretrained(sys.argv[1], local_files_only=True)
    pictures = "made"
except OSError:
    pictures = "refused"
print(f"transformers {transformers.__version__}: {type(tokenizer).__name__}, fewer than 5 entries: {len(tokenizer) < 5}, "
      f"dog is cat: {dog == cat}; an image processor is {pictures}")
PYTHON
mkdir "$place/folder"
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0 tokenizers==0.23.3 pillow==13.0.0
seen=$(HF_HUB_OFFLINE=1 "$place/env/bin/python" "$place/ask.py" "$place/folder" 2>/dev/null)
echo "$seen"
expected="transformers 5.24.0: CLIPTokenizer, fewer than 5 entries: True, dog is cat: True; an image processor is refused"
[ "$seen" = "$expected" ]
