"""``python -m simcore.cli``."""

from __future__ import annotations

import sys

from simcore.cli import process

sys.exit(process(sys.argv[1:]))
