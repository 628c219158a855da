"""Offers the edits of a crashed instance, and takes them over."""

from __future__ import annotations

import time

from app.files import FileActions
from app.persistence.autosave import Autosave, Orphan, orphans
from app.state.app_state import AppState
from app.state.messages import Severity
from app.state.notices import Choice, Notice
from simcore.errors import UserError
from simcore.scenario.document import Document


class Recovery:
    """One question for each scenario whose edits were found.

    Attributes:
        found: what was found and not yet decided, by id of the notice.
    """

    def __init__(self, state: AppState, files: FileActions, autosave: Autosave) -> None:
        self._state = state
        self._files = files
        self._autosave = autosave
        self.found: dict[str, Orphan] = {}

    def offer(self) -> None:
        """Look for edits and ask what to do with them."""
        for number, orphan in enumerate(orphans()):
            id = f"recover.{number}"
            self.found[id] = orphan
            when = time.strftime("%d %b %H:%M", time.localtime(orphan.wall_time))
            self._state.notices.ask(
                Notice(
                    id,
                    f"DIMMscope ended unexpectedly with unsaved edits of {orphan.title} ({when}).",
                    (
                        Choice(
                            "Restore",
                            f"Open {orphan.path or orphan.title} with these edits; the file stays "
                            "as it is until you save",
                            lambda id=id: self.restore(id),  # type: ignore[misc]
                        ),
                        Choice(
                            "Discard",
                            "Delete these edits",
                            lambda id=id: self.discard(id),  # type: ignore[misc]
                        ),
                        Choice(
                            "Later",
                            "Ask again at the next start",
                            lambda id=id: self.leave(id),  # type: ignore[misc]
                        ),
                    ),
                    Severity.WARNING,
                )
            )

    def restore(self, id: str) -> None:
        """Open the scenario with the edits; what is open now is asked about first."""
        orphan = self.found.get(id)
        if orphan is None:
            return
        if not self._files.may_discard():
            self.offer_again(id)
            return
        del self.found[id]
        session = self._state.session
        path = orphan.path
        edited = Document.from_text(orphan.text, path)
        if path is not None and path.is_file() and self._files.open_path(path):
            session.bus.do("restore unsaved edits", edited)
        else:
            try:
                session.adopt(edited, path)
            except UserError as error:
                self._state.messages.show(str(error))
            session.set_missing(True)
        self._autosave.write()  # before the only other copy goes
        orphan.discard()
        self._state.messages.log(f"restored unsaved edits of {orphan.title}")

    def discard(self, id: str) -> None:
        """Delete the edits."""
        orphan = self.found.pop(id, None)
        if orphan is not None:
            orphan.discard()
            self._state.messages.log(f"discarded unsaved edits of {orphan.title}")

    def leave(self, id: str) -> None:
        """Ask another time."""
        orphan = self.found.pop(id, None)
        if orphan is not None:
            orphan.leave()

    def offer_again(self, id: str) -> None:
        """Put the question back, since the answer was not carried out."""
        left = self.found.pop(id)
        left.leave()
        self.offer()

    def stop(self) -> None:
        """Leave everything undecided for the next start."""
        for orphan in self.found.values():
            orphan.leave()
        self.found.clear()
