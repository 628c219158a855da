"""Settings that must hold before Qt or numpy is imported by any test."""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Solved programs are kept; tests must neither find old ones nor leave any.
os.environ["DIMMSCOPE_CACHE"] = tempfile.mkdtemp(prefix="dimmscope-tests-")
atexit.register(shutil.rmtree, os.environ["DIMMSCOPE_CACHE"], ignore_errors=True)
