"""Loops over single words of bits, compiled to machine code when they are first called.

Numpy goes once through all neurons for every operation it is asked for; a step of a neuron-level
system asks for some three hundred. A compiled loop does all of them while a word is in a register.
It also lets go of the interpreter, so two simulations in two threads run side by side.

Compiled code is kept on disk beside the source (or in the user's cache where that can not be
written), so only the first run of an installation waits for the compiler.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import njit
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def _not_there(module: str) -> Iterator[None]:
    """Inside, importing a module that is not loaded yet fails as if it were not installed."""
    if module in sys.modules:
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


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers; it must not need the interpreter.

    Inside, indices that are not plainly zero or more cost a test each: take slices of rows and
    count from zero. Numbers beside words must be words too (`np.uint64`), else the result is a
    floating-point number.
    """
    try:
        loop = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # nowhere to keep it: neither beside the source nor in the user's cache
        loop = njit(nogil=True, error_model="numpy")(function)
    return cast(F, loop)


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
