"""Do two atlases hold the same rows, but for when and by which version they were made? For before and after a change.

    python tools/same_rows.py ONE.atlas OTHER.atlas

Prints the tables that differ; exit status 1 where there is one.
"""

import sys

from layerscope.atlas.compare import content_digest


def main(one: str, other: str) -> int:
    """Compare; the exit status."""
    first, second = content_digest(one), content_digest(other)
    differing = [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
    print("\n".join(f"{name} differs" for name in differing) or f"{len(first)} tables hold the same rows")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
