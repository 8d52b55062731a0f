#!/usr/bin/env bash
# Ray 2.60.0: what an actor's finished calls gave can be lost when the actor ends soon after, though these calls were done.
#
# A good guess: of five calls on one actor, the fourth of which ends its process, the first three are answered, since they
# were finished before, and only the others raise ActorDiedError.
# What it does, run here with small results on a local cluster, Linux, Python 3.11: some or all of the first three raise as
# well; how many differs from run to run, so that five actors are asked. A caller that hands out work again must count every
# call as open whose result it has not fetched.
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


lost = 0
for _ in range(5):
    worker = Worker.remote()
    answers = [worker.make.remote(number) for number in range(5)]
    for answer in answers[:3]:
        try:
            ray.get(answer)
        except ray.exceptions.ActorDiedError:
            lost += 1
print(f"ray {ray.__version__}: finished calls whose results are lost: {'some' if lost else 'none'}")
ray.shutdown()
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
seen=$("$place/env/bin/python" "$place/ask.py" 2>/dev/null | grep "^ray ")
echo "$seen"
[ "$seen" = "ray 2.60.0: finished calls whose results are lost: some" ]
