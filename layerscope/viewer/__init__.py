"""An atlas in the browser: one table of addresses and one set of pages, for a server and for a folder. No torch."""
