"""Shares as bars of characters, for terminals that have them."""

EIGHTHS = " ▏▎▍▌▋▊▉"
WIDTH = 8


def meter(share: float, width: int = WIDTH) -> str:
    """A share in 0..1 as a bar of `width` characters, to an eighth of one; what lies beyond is cut off.

    A share above zero shows at least an eighth.
    """
    eighths = round(min(max(share, 0.0), 1.0) * 8 * width)
    eighths = max(eighths, 1) if share > 0 else 0
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[part] if part else "")).ljust(width)
