"""Sizes of files in words. A MB is a million bytes here, as in the settings and in what is refused."""

UNITS = ("KB", "MB", "GB", "TB", "PB")
STEP = 1000


def size_text(size: int) -> str:
    """So many bytes in words: “1.4 MB”."""
    if size < STEP:
        return f"{size} byte{'' if size == 1 else 's'}"
    amount, unit = size / STEP, UNITS[0]
    for larger in UNITS[1:]:
        if round(amount, 1) < STEP:
            break
        amount, unit = amount / STEP, larger
    return f"{amount:,.1f} {unit}"
