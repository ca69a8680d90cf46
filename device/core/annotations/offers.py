"""What the device is to be given of a mark: it is added, changed or taken out.

Promises: has a JSON form, in which it is stored with the mark.
Called by: `device/sending/annotations.py`, which offers; `device/verbs/annotation_results.py`, which tells the launcher.
"""

from __future__ import annotations

from device import json_text
from device.core.annotations.marks import DeviceMark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

ADD, EDIT, REMOVE = "add", "edit", "remove"
ACTIONS = (ADD, EDIT, REMOVE)


class Offer:
    """`to`: the mark as the device has it then; None for REMOVE. `fraction`: how far into the book that is, 0..1."""

    __slots__ = ("do", "fraction", "to")

    def __init__(self, do: str, to: DeviceMark | None, fraction: float | None = None) -> None:
        self.do = do
        self.to = to
        self.fraction = fraction

    def to_json(self) -> str:
        fields: dict[str, Json] = {"do": self.do}
        if self.to is not None:
            fields["to"] = self.to.to_json()
        if self.fraction is not None:
            fields["fraction"] = self.fraction
        return json_text.encode(fields).decode("utf-8")

    @staticmethod
    def from_json(text: str) -> Offer | None:
        """None for what is none."""
        try:
            fields = json_text.decode(text)
            if not isinstance(fields, dict) or fields.get("do") not in ACTIONS:
                return None
            to = fields.get("to")
            mark = DeviceMark.from_json(to) if isinstance(to, str) else None
        except ValueError:
            return None
        fraction = fields.get("fraction")
        is_fraction = isinstance(fraction, float) and 0 <= fraction <= 1
        return Offer(str(fields["do"]), mark, fraction if is_fraction and isinstance(fraction, float) else None)
