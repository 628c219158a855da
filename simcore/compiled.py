"""Loops over single words of bits, compiled to machine code when they are first called.

Numpy goes once through all neurons for every operation it is asked for; a step of a neuron-level
system asks for some three hundred. A compiled loop does all of them while a word is in a register.
It also lets go of the interpreter, so two simulations in two threads run side by side.

Compiled code is kept in the cache folder, so only the first run of an installation waits for the
compiler. What is kept belongs to the text of all of `simcore`: numba itself looks only at the file
a function is in, and would go on using code into which an older version of another file went.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import config, njit
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from simcore.data import cache_folder

F = TypeVar("F", bound=Callable[..., Any])

_KEPT_DAYS = 30


@contextmanager
def _not_there(module: str) -> Iterator[None]:
    """Inside, importing a module that is not loaded yet fails as if it were not installed.

    Not where another thread might import it right now.
    """
    if module in sys.modules or threading.active_count() > 1:
        yield
        return
    sys.modules[module] = cast(Any, None)
    try:
        yield
    finally:
        del sys.modules[module]


# Numba looks whether scipy's linear algebra is there, by importing it: a third of the time that
# loading numba takes. No loop here multiplies matrices.
with _not_there("scipy.linalg"):
    import_module("numba.np.arraymath")


@cache
def _folder() -> str | None:
    """Where code compiled from exactly these sources is kept, if anything can be kept."""
    digest = hashlib.blake2b(digest_size=10)
    package = Path(__file__).parent
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    try:
        base = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder())
        folder = base / f"loops-{digest.hexdigest()}"
        if not folder.is_dir():
            folder.mkdir(parents=True)
            _remove_old(base)
        return str(folder) if os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):  # not to be written; a user without a home
        return None


def _remove_old(base: Path) -> None:
    """Remove what was compiled from other sources, long ago."""
    long_ago = time.time() - _KEPT_DAYS * 86400
    for folder in base.glob("loops-*"):
        if folder.stat().st_mtime < long_ago:
            shutil.rmtree(folder, ignore_errors=True)


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers; it must not need the interpreter.

    Inside, indices that are not plainly zero or more cost a test each: take slices of rows and
    count from zero. Numbers beside words must be words too (`np.uint64`), else the result is a
    floating-point number.
    """
    folder = _folder()
    if folder is None:
        return cast(F, njit(nogil=True, error_model="numpy")(function))
    settings = cast(Any, config)
    before, settings.CACHE_DIR = settings.CACHE_DIR, folder
    try:
        return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
    finally:
        settings.CACHE_DIR = before


@intrinsic
def _set_bits(_typing: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


set_bits = cast(Callable[[Any], int], _set_bits)
"""How many bits of a word are set; only inside compiled functions."""


@intrinsic
def _bits_below(_typing: Any, draws: Any, _limits: Any, _start: Any, _lead: Any) -> Any:
    # The compiler would not find this by itself: processors compare that many numbers in one or
    # two instructions and then have the bits in a register.
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers = ir.VectorType(ir.IntType(16), 64)

        def load(index: int) -> Any:
            view = cast(Any, make_array)(signature.args[index])
            array = view(context, builder, arguments[index])
            first = builder.gep(array.data, [arguments[2]])
            return builder.load(builder.bitcast(first, numbers.as_pointer()), align=2)

        drawn, limit = load(0), load(1)
        lead = ir.Constant(numbers, ir.Undefined)
        for place in range(64):
            lead = builder.insert_element(lead, arguments[3], ir.IntType(32)(place))
        lowered = builder.select(
            builder.icmp_unsigned(">", drawn, lead),
            builder.sub(drawn, lead),
            ir.Constant(numbers, [0] * 64),
        )
        return builder.bitcast(builder.icmp_unsigned("<", lowered, limit), ir.IntType(64))

    return types.uint64(draws, draws, types.uint64, types.uint16), generate


bits_below = cast(Callable[[Any, Any, Any, Any], Any], _bits_below)
"""A word of 64 comparisons; only inside compiled functions.

``bits_below(draws, limits, start, lead)`` has bit k set where ``max(0, draws[start + k] - lead)``
is below ``limits[start + k]``. Both are contiguous rows of 16-bit numbers with at least 64 from
`start` on; `start` is a word and `lead` a 16-bit number.
"""
