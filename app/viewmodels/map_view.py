"""Which part of the placement grid is visible, in rows and items."""

from __future__ import annotations

MIN_COLUMNS = 24.0
MIN_ROWS = 4.0


class MapView:
    """A window on a grid of rows and columns.

    Attributes:
        rows, columns: size of the grid in items.
        left, top: first visible column and row, as fractions of items.
        columns_shown, rows_shown: how many are visible.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.left = self.top = 0.0
        self.columns_shown, self.rows_shown = float(columns), float(rows)

    @property
    def right(self) -> float:
        """End of the visible columns."""
        return self.left + self.columns_shown

    @property
    def bottom(self) -> float:
        """End of the visible rows."""
        return self.top + self.rows_shown

    def resize(self, rows: int, columns: int) -> None:
        """Take another grid; the window stays where it is unless the size differs."""
        if (rows, columns) != (self.rows, self.columns):
            self.rows, self.columns = rows, columns
            self.all()

    def all(self) -> None:
        """Show everything."""
        self.left = self.top = 0.0
        self.columns_shown, self.rows_shown = float(self.columns), float(self.rows)

    def zoom(self, x_factor: float, y_factor: float, x_share: float, y_share: float) -> None:
        """Scale the window around a point given as shares of its size."""
        at_x = self.left + x_share * self.columns_shown
        at_y = self.top + y_share * self.rows_shown
        self.columns_shown = min(
            max(self.columns_shown * x_factor, min(MIN_COLUMNS, self.columns)), self.columns
        )
        self.rows_shown = min(max(self.rows_shown * y_factor, min(MIN_ROWS, self.rows)), self.rows)
        self.left = at_x - x_share * self.columns_shown
        self.top = at_y - y_share * self.rows_shown
        self._clamp()

    def pan(self, x_share: float, y_share: float) -> None:
        """Move the window by shares of its size."""
        self.left += x_share * self.columns_shown
        self.top += y_share * self.rows_shown
        self._clamp()

    def centre_on(self, row: int, column: int) -> None:
        """Bring an item to the middle."""
        self.left = column + 0.5 - self.columns_shown / 2
        self.top = row + 0.5 - self.rows_shown / 2
        self._clamp()

    def cell_area(self, per_cell: int) -> tuple[int, int, int, int]:
        """Rows r0..r1 and cells c0..c1 that cover the window."""
        r0, r1 = int(self.top), min(self.rows, int(-(-self.bottom // 1)))
        last = -(-self.columns // per_cell)
        c0, c1 = int(self.left // per_cell), min(last, int(-(-self.right // per_cell)))
        return r0, max(r1, r0 + 1), c0, max(c1, c0 + 1)

    def _clamp(self) -> None:
        self.left = min(max(self.left, 0.0), self.columns - self.columns_shown)
        self.top = min(max(self.top, 0.0), self.rows - self.rows_shown)
