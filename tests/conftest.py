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
# Sessions, unsaved edits and reports of tests must not end up in the user's folder.
os.environ["DIMMSCOPE_STATE"] = tempfile.mkdtemp(prefix="dimmscope-state-")
atexit.register(shutil.rmtree, os.environ["DIMMSCOPE_STATE"], ignore_errors=True)
