#!/usr/bin/env bash
# Ray 2.60.0: what an actor's finished calls gave is lost when the actor ends soon after, though these calls were done.
#
# A good guess: of five calls on one actor, the fourth of which ends its process, the first three are answered, since they
# were finished before, and only the others raise ActorDiedError.
# What it does, run here with small results on a local cluster, Linux, Python 3.11: all five raise. A caller that wants what
# was finished must have fetched it, or seen it done, before; whoever hands out work again must count all calls as open.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import logging
import os

import ray

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)


@ray.remote
class Worker:
    def make(self, number):
        if number == 3:
            os._exit(1)
        return number


worker = Worker.remote()
answers = [worker.make.remote(number) for number in range(5)]
found = []
for answer in answers:
    try:
        found.append(str(ray.get(answer)))
    except ray.exceptions.ActorDiedError:
        found.append("died")
print(f"ray {ray.__version__}: {' '.join(found)}")
ray.shutdown()
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
seen=$("$place/env/bin/python" "$place/ask.py" 2>/dev/null | grep "^ray ")
echo "$seen"
[ "$seen" = "ray 2.60.0: died died died died died" ]
