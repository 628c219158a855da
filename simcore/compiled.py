"""Loops over single words of bits, compiled to machine code when they are first called.

Numpy goes once through all neurons for every operation it is asked for; a step of a neuron-level
system asks for some three hundred. A compiled loop does all of them while a word is in a register.
It also lets go of the interpreter, so another thread may work meanwhile.

Compiled code is kept in the cache folder, so only the first run of an installation waits for the
compiler. What is kept belongs to the text of all files that go into loops: numba itself looks only
at the file a function is in, and would go on using code into which older versions of others went.
Where nothing can be kept, or what was kept cannot be read, it is compiled again and that is all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

from simcore.data import cache_folder
from simcore.errors import UserError

try:
    from llvmlite import ir
    from numba import __version__ as _version
    from numba import config, njit
    from numba.core import types
    from numba.core.caching import FunctionCache
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array
except (ImportError, OSError) as error:  # not there, for another numpy, or without its libraries
    raise UserError(
        f"numba, which compiles the inner loops of a simulation, cannot be loaded ({error}); "
        f"install it again: {sys.executable} -m pip install --force-reinstall numba"
    ) from error
if cast(Any, config).DISABLE_JIT:
    raise UserError(
        "NUMBA_DISABLE_JIT is set, but the inner loops of a simulation run compiled or not at all; "
        "take it out of the environment"
    )

F = TypeVar("F", bound=Callable[..., Any])

_KEPT_DAYS = 30
_SETTINGS = threading.Lock()
"""Held while numba's folder is another than the user's: two threads may load modules at once."""
_SOURCES = (
    "compiled.py",
    "activations/*.py",
    "engine/*.py",
    "placement/*.py",
    "results/spans.py",
    "systems/hermes/loops.py",
    "systems/hermes/tally.py",
)


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


def sources() -> list[Path]:
    """The files that compiled functions and the constants in them may come from."""
    package = Path(__file__).parent
    return sorted(file for pattern in _SOURCES for file in package.glob(pattern))


@cache
def _folder() -> str | None:
    """Where code compiled from exactly these sources is kept, if anything can be kept."""
    # Numba does not look whether code was compiled with the same checks of indices.
    by = f"{_version} {cast(Any, config).BOUNDSCHECK}"
    digest = hashlib.blake2b(by.encode(), digest_size=10)
    for file in sources():
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    try:
        base = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder())
        folder = base / f"loops-{digest.hexdigest()}"
        is_new = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)  # another process may be making it
        if not os.access(folder, os.W_OK):
            return None
        os.utime(folder)  # in use
        if is_new:
            _remove_old(base)
        return str(folder)
    except (OSError, RuntimeError):  # not to be written; a user without a home
        return None


def _remove_old(base: Path) -> None:
    """Remove what was compiled from other sources and not used for long."""
    long_ago = time.time() - _KEPT_DAYS * 86400
    for folder in base.glob("loops-*"):
        with suppress(OSError):  # another process removes it, too
            if folder.stat().st_mtime < long_ago:
                shutil.rmtree(folder, ignore_errors=True)


class _Kept(cast(Any, FunctionCache)):  # type: ignore[misc]
    """The code of one function on disk; to fail there is no reason to fail a simulation."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            found = super().load_overload(sig, target_context)
        except Exception:  # cut off when the disk was full or the power went: whatever pickle says
            with suppress(OSError):
                self.flush()  # else it would stay like that for ever
            return None
        # Two processes that compile at once may write different code to a file of the same name.
        return found if found is None or tuple(found.signature.args) == tuple(sig) else None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):  # the disk is full, or the folder was removed: not kept, then
            super().save_overload(sig, data)


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers; it must not need the interpreter.

    Inside, indices that are not plainly zero or more cost a test each: take slices of rows and
    count from zero. Numbers beside words must be words too (`np.uint64`), else the result is a
    floating-point number.
    """
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    made = cast(Any, njit)(**options)(function)
    folder = _folder()
    if folder is None:
        return cast(F, made)
    settings = cast(Any, config)
    with _SETTINGS:
        before, settings.CACHE_DIR = settings.CACHE_DIR, folder
        try:
            kept = cast(Any, _Kept)(function)
        finally:
            settings.CACHE_DIR = before
    if kept.cache_path.startswith(folder):  # else numba has found another place, by the source
        made._cache = kept
    return cast(F, made)


@intrinsic
def _set_bits(_typing: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


set_bits = cast(Callable[[Any], int], _set_bits)
"""How many bits of a word are set; only inside compiled functions."""


@intrinsic
def _bits_below(
    _typing: Any, draws: Any, _first: Any, _limits: Any, _start: Any, _lead: Any
) -> Any:
    # The compiler would not find this by itself: processors compare that many numbers in one or
    # two instructions and then have the bits in a register.
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers = ir.VectorType(ir.IntType(16), 64)

        def load(index: int) -> Any:
            view = cast(Any, make_array)(signature.args[index])
            array = view(context, builder, arguments[index])
            first = builder.gep(array.data, [arguments[index + 1]])
            return builder.load(builder.bitcast(first, numbers.as_pointer()), align=2)

        drawn, limit = load(0), load(2)
        lead = ir.Constant(numbers, ir.Undefined)
        for place in range(64):
            lead = builder.insert_element(lead, arguments[4], ir.IntType(32)(place))
        lowered = builder.select(
            builder.icmp_unsigned(">", drawn, lead),
            builder.sub(drawn, lead),
            ir.Constant(numbers, [0] * 64),
        )
        return builder.bitcast(builder.icmp_unsigned("<", lowered, limit), ir.IntType(64))

    words = types.uint64
    return words(draws, words, draws, words, types.uint16), generate


bits_below = cast(Callable[[Any, Any, Any, Any, Any], Any], _bits_below)
"""A word of 64 comparisons; only inside compiled functions.

``bits_below(draws, first, limits, start, lead)`` has bit k set where ``max(0, draws[first + k] -
lead)`` is below ``limits[start + k]``. Both are contiguous rows of 16-bit numbers with at least 64
from there on; `first` and `start` are words and `lead` a 16-bit number.
"""
