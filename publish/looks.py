"""How the cells of our workbooks look. Enters: an open workbook. Leaves: its formats, each made when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any


class Looks:
    """The cell formats of one workbook."""

    def __init__(self, book: Any) -> None:
        self._book = book

    def _format(self, **more: object) -> Any:
        base = {"font_name": "微软雅黑", "font_size": 10, "valign": "vcenter", "text_wrap": True, "num_format": "@"}
        return self._book.add_format(base | more)

    @cached_property
    def title(self) -> Any:
        return self._format(font_size=14, bold=True, text_wrap=False)

    @cached_property
    def heading(self) -> Any:
        return self._format(bold=True, border=1, border_color="#7F8C9A", bg_color="#1F4E79", font_color="#FFFFFF", align="center")

    @cached_property
    def heading_input(self) -> Any:
        return self._format(bold=True, border=1, border_color="#7F8C9A", bg_color="#B45F06", font_color="#FFFFFF", align="center")

    @cached_property
    def label(self) -> Any:
        return self._format(bold=True, valign="top", font_size=11)

    @cached_property
    def paragraph(self) -> Any:
        return self._format(valign="top", font_size=11)

    @cached_property
    def cells(self) -> dict[tuple[bool, bool, bool], Any]:
        """By (is input, is marked, is shaded). A mark is bold and underlined as well as coloured: it survives a grey printer."""
        edge = {"border": 1, "border_color": "#C8CDD3"}
        fills = {(False, False): "#FFFFFF", (False, True): "#EEF3F8", (True, False): "#FFF8E7", (True, True): "#FBEFD2"}
        out = {}
        for (is_input, shaded), fill in fills.items():
            out[is_input, False, shaded] = self._format(bg_color=fill, **edge)
            out[is_input, True, shaded] = self._format(bg_color="#FCE4D6", bold=True, underline=1, font_color="#9C2A00", **edge)
        return out
