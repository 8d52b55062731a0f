"""Waits are for what a reader would see, never for a time: on a machine with other work a page may be late."""

from playwright.sync_api import Page, expect

# The longest of all waits: a page that takes longer hangs.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


def arrived(page: Page, heading: str) -> None:
    """Wait until the page of this heading is there and its scripts have run: before, no key of ours acts."""
    expect(page.locator("h1")).to_contain_text(heading)
    page.wait_for_load_state("load")
