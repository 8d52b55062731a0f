"""A kernel's line to a browser, without either: what a widget sends is kept, what a browser sends is handed over."""

from typing import Any

from comm.base_comm import BaseComm
from ipywidgets import Widget


class KeptComm(BaseComm):
    """Keeps every message of its widget in `sent`."""

    def __init__(self, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(target_name="jupyter.widget", **options)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        """A message to the browser."""
        if msg_type == "comm_msg":
            self.sent.append(data)


class Notebook:
    """The browser's side of one widget: its traits as they came, and setting them as a browser does."""

    def __init__(self, widget: Widget) -> None:
        self.comm = KeptComm()
        widget.comm = self.comm
        self.state: dict[str, Any] = widget.get_state()

    def sets(self, **traits: Any) -> dict[str, Any]:
        """Hand traits over as one message; the traits that came back."""
        before = len(self.comm.sent)
        message = {"method": "update", "state": traits, "buffer_paths": []}
        self.comm.handle_msg({"content": {"data": message}, "buffers": []})
        came: dict[str, Any] = {}
        for sent in self.comm.sent[before:]:
            if sent["method"] == "update":
                came |= sent["state"]
        self.state |= {**traits, **came}
        return came
