"""Lets go of what listens to an object, so that both can be freed."""

from __future__ import annotations

from PySide6.QtCore import QMetaMethod, QObject


def release(*senders: QObject) -> None:
    """Disconnect everything from the signals of objects that are used no more.

    A connected lambda is held by Qt, where the garbage collector of Python does not see it: while
    its sender lives, so does everything the lambda knows, and with it the sender.
    """
    for sender in senders:
        meta = sender.metaObject()
        for index in range(meta.methodCount()):
            method = meta.method(index)
            signal = method.methodType() == QMetaMethod.MethodType.Signal
            own = method.enclosingMetaObject().className() != "QObject"  # Qt needs ``destroyed``
            if signal and own and sender.isSignalConnected(method):
                getattr(sender, bytes(method.name().data()).decode()).disconnect()
