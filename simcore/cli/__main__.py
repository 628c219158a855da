"""``python -m simcore.cli``."""

from __future__ import annotations

import sys

from simcore.cli import main

sys.exit(main())
