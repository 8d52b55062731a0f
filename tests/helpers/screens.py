"""What a terminal makes of escape codes: pictures read back, by readers that share nothing with what writes them."""

import base64
import io
import re

import numpy as np
from PIL import Image

CODE = re.compile(r"\x1b\[([\d;]*)m")


def palette(number: int) -> tuple[int, int, int]:
    """One of xterm's 256 colours, of the cube or the grays."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    steps = (number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6
    return tuple(0 if step == 0 else 55 + 40 * step for step in steps)  # type: ignore[return-value]


class Ink:
    """The two colours that characters have: None is the terminal's own."""

    def __init__(self) -> None:
        self.fore: tuple[int, int, int] | None = None
        self.back: tuple[int, int, int] | None = None

    def told(self, codes: str) -> None:
        """Codes between "ESC [" and "m"."""
        numbers = [int(code or 0) for code in codes.split(";")]
        while numbers:
            code = numbers.pop(0)
            if code == 0:
                self.fore = self.back = None
            elif code == 49:
                self.back = None
            else:
                assert code in (38, 48), code
                if numbers.pop(0) == 2:
                    colour = tuple(numbers[:3])
                    del numbers[:3]
                else:
                    colour = palette(numbers.pop(0))
                if code == 38:
                    self.fore = colour  # type: ignore[assignment]
                else:
                    self.back = colour  # type: ignore[assignment]


def read_blocks(text: str) -> np.ndarray:
    """Half blocks as px, uint8[h, w, 4]; nothing is 0 throughout."""
    rows: list[list[tuple[int, int, int, int]]] = []
    ink = Ink()
    for line in text.split("\n"):
        upper, lower = [], []
        for part in re.split(r"(\x1b\[[\d;]*m)", line):
            code = CODE.fullmatch(part)
            if code:
                ink.told(code[1])
                continue
            for letter in part:
                halves = {"▀": (ink.fore, ink.back), "▄": (ink.back, ink.fore), " ": (ink.back, ink.back)}[letter]
                for row, colour in zip((upper, lower), halves, strict=True):
                    row.append((0, 0, 0, 0) if colour is None else (*colour, 255))
        assert (ink.fore, ink.back) == (None, None), "a line ends in a colour"
        rows += [upper, lower]
    width = max(map(len, rows))
    return np.array([row + [(0, 0, 0, 0)] * (width - len(row)) for row in rows], np.uint8)


def read_kitty(text: str) -> np.ndarray:
    """A picture of kitty's protocol as px."""
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in chunks) == text
    keys = [dict(key.split("=") for key in keys.split(",")) for keys, _ in chunks]
    assert keys[0]["a"] == "T" and keys[0]["f"] == "100"
    assert [key["m"] for key in keys] == ["1"] * (len(keys) - 1) + ["0"]
    assert all(len(data) <= 4096 and (len(data) % 4 == 0) for _, data in chunks)
    content = base64.b64decode("".join(data for _, data in chunks), validate=True)
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def read_sixels(text: str) -> np.ndarray:
    """Sixels as px, uint8[h, w, 4]."""
    whole = re.fullmatch(r'\x1bP[\d;]*q"1;1;(\d+);(\d+)(.*)\x1b\\', text, re.DOTALL)
    assert whole is not None
    width, height = int(whole[1]), int(whole[2])
    made = np.zeros((height + 5, width, 4), np.uint8)
    colours: dict[int, tuple[int, int, int]] = {}
    colour, row, col = 0, 0, 0
    for number, mode, levels, mark, count, six in re.findall(
        r"#(\d+)(;2;)?((?<=;2;)\d+;\d+;\d+)?|([$-])|(?:!(\d+))?([?-~])", whole[3]
    ):
        if number and mode:
            colours[int(number)] = tuple(round(int(level) * 2.55) for level in levels.split(";"))  # type: ignore[assignment]
        elif number:
            colour = int(number)
        elif mark == "$":
            col = 0
        elif mark == "-":
            row, col = row + 6, 0
        else:
            length = int(count or 1)
            for bit in range(6):
                if (ord(six) - 63) >> bit & 1:
                    made[row + bit, col : col + length] = (*colours[colour], 255)
            col += length
    return made[:height]
