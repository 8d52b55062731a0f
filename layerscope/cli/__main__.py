"""`python -m layerscope.cli` is the command `layerscope`."""

import sys

from layerscope.cli.entry import main

sys.exit(main())
