#!/usr/bin/env bash
# filelock 3.16.1: a lock taken before a fork ends when the child releases what it inherited, though the parent holds on.
#
# A good guess: a child that releases the lock object it was forked with changes nothing for the parent.
# What it does on Linux: the child's release unlocks the open file that both share, so a third process gets the lock while
# the parent still says that it holds it. filelock 4.3.1 leaves the parent's lock alone. Linux, Python 3.11.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import os
import subprocess
import sys

import filelock

path = os.path.join(sys.argv[1], filelock.__version__ + ".lock")
OTHER = "import sys, filelock\nfilelock.FileLock(sys.argv[1]).acquire(timeout=0)"


def free() -> bool:
    """Whether a process that has nothing to do with ours gets the lock."""
    return subprocess.run([sys.executable, "-c", OTHER, path], stderr=subprocess.DEVNULL).returncode == 0


lock = filelock.FileLock(path)
lock.acquire()
before = free()
child = os.fork()
if child == 0:
    lock.release()
    os._exit(0)
os.waitpid(child, 0)
print(f"filelock {filelock.__version__}: free to others before the fork {before}, after the child's release {free()}, "
      f"held says the parent {lock.is_locked}")
PYTHON
seen() {
    python3 -m venv "$place/$1"
    "$place/$1/bin/pip" install --quiet --disable-pip-version-check "filelock==$1"
    "$place/$1/bin/python" "$place/ask.py" "$place" 2>/dev/null
}
old=$(seen 3.16.1)
new=$(seen 4.3.1)
printf '%s\n' "$old" "$new"
[ "$old" = "filelock 3.16.1: free to others before the fork False, after the child's release True, held says the parent True" ]
[ "$new" = "filelock 4.3.1: free to others before the fork False, after the child's release False, held says the parent True" ]
echo "as seen"
