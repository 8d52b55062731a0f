"""When memory is short: how that is told apart from other errors."""


def out_of_memory(error: BaseException) -> bool:
    """True for what PyTorch and Python raise when memory is short, on any device."""
    said = ("out of memory", "not enough memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(words in str(error) for words in said)
