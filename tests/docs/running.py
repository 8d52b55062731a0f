"""A page carried out as it stands: its commands and its Python, one after the other, in one folder.

Lines that begin with `layerscope` are handed to the command line in this process, exactly as a shell would split them;
all other shell lines go to bash. Python blocks of a page share their names.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from layerscope.cli import main
from tests.docs.pages import ROOT, Block, blocks, name


class Page:
    """One page in the running. manner: of the blocks that are run. printed: what its last command said on stdout."""

    def __init__(self, path: Path, folder: Path, manner: str = "") -> None:
        self.path, self.folder, self.printed, self.manner = path, folder, "", manner
        self.names: dict[str, Any] = {"__name__": name(path)}

    def run(self) -> None:
        """All blocks that are meant to be run; each must end well."""
        with contextlib.chdir(self.folder), self._importable():
            for block in blocks(self.path):
                if block.language == "sh" and block.manner == self.manner:
                    self._shell(block)
                elif block.language == "python" and block.manner == self.manner:
                    self._python(block)
                elif (block.language, block.manner) == ("text", "exactly"):
                    assert self.printed == block.body, f"{name(self.path)}, line {block.line}: prints\n{self.printed}"

    def _shell(self, block: Block) -> None:
        for ours, lines in commands(block):
            if ours:
                self._command(lines)
            else:
                path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
                environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}
                subprocess.run(["bash", "-euo", "pipefail", "-c", lines], check=True, env=environment)

    def _command(self, line: str) -> None:
        words = shlex.split(line)[1:]
        out = words[words.index(">") + 1] if ">" in words else None
        said, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            status = main(words[: words.index(">")] if out else words)
        assert status == 0, f"{name(self.path)}: {line}\n{complained.getvalue()}"
        self.printed = said.getvalue()
        if out:
            Path(out).write_text(self.printed)

    def _python(self, block: Block) -> None:
        # Blank lines in front, so that a traceback tells the page's own line.
        code = compile("\n" * block.line + block.body, str(self.path), "exec")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(code, self.names)

    @contextlib.contextmanager
    def _importable(self) -> Iterator[None]:
        """Modules that the page writes can be imported, as from a prompt in its folder."""
        before = set(sys.modules)
        sys.path.insert(0, str(self.folder))
        try:
            yield
        finally:
            sys.path.remove(str(self.folder))
            for module in set(sys.modules) - before:
                if str(getattr(sys.modules[module], "__file__", "") or "").startswith(str(self.folder)):
                    del sys.modules[module]


def commands(block: Block) -> Iterator[tuple[bool, str]]:
    """The block's layerscope commands one by one, and what stands between them; (ours, text)."""
    lines = re.sub(r"\\\n\s*", " ", block.body)
    for part in re.split(r"^(layerscope .*)$", lines, flags=re.MULTILINE):
        if part.strip():
            yield part.startswith("layerscope "), part.strip()
