"""Brings documents of older versions up to date, one version at a time.

A migration takes a document of version n and returns one of version n + 1 (without touching
``version``, which is set here). It edits the document, so comments survive. When the schema
changes incompatibly: raise `schema.SCHEMA_VERSION`, add the function below, add a test with a file
of the old version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from simcore.scenario.schema import SCHEMA_VERSION


class Migratable(Protocol):
    """What a migration may do with a document."""

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path."""

    def with_value(self, path: str, value: Any) -> Self:
        """The document with another value."""

    def without(self, path: str) -> Self:
        """The document without a value."""


Migration = Callable[[Any], Any]

MIGRATIONS: Mapping[int, Migration] = {}
"""Version of a document to the function that brings it to the next; version 1 is the first."""


def migrate(
    document: Migratable,
    migrations: Mapping[int, Migration] = MIGRATIONS,
    target: int = SCHEMA_VERSION,
) -> Any:
    """The document in the version `target`; itself if nothing has to be done.

    A version that is no number, too new or without migration stays: resolving reports it.
    """
    version = document.get("version", target)
    while isinstance(version, int) and version < target and version in migrations:
        document = migrations[version](document)
        version += 1
        document = document.with_value("version", version)
    return document
