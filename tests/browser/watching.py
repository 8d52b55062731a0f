"""A page that is watched: whatever a browser complains of, or asks others for, is written down."""

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response


@dataclass
class Watch:
    """What went wrong on pages of one origin. dialogs: those that a script opened; none of ours does."""

    origin: str
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def over(self, page: Page) -> Page:
        """Watch this page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        page.on("dialog", self._dialog)
        return page

    def forgive(self, words: str) -> None:
        """What a test brought about itself: forget the troubles that hold these words; there must be some."""
        kept = [trouble for trouble in self.troubles if words not in trouble]
        assert len(kept) < len(self.troubles), f"nothing was said of {words}"
        self.troubles[:] = kept

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        ours = (self.origin, self.origin.replace("http", "ws", 1), "blob:", "data:")
        if not request.url.startswith(ours):
            self.troubles.append(f"asked elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        # Whoever leaves a page stops what is still loading there.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.troubles.append(f"failed: {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()
