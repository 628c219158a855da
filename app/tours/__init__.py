"""Guided tours: what they show and say. Import `TOURS` from here."""

from __future__ import annotations

from app.tours import hermes, l3
from app.tours.base import Stop, Tour

__all__ = ["TOURS", "Stop", "Tour"]

TOURS: dict[str, Tour] = {tour.id: tour for tour in (hermes.TOUR, l3.TOUR)}
"""Tours by id, in the order of the menu."""
