"""PostgreSQL's text form of rows, for COPY."""

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(text: str) -> str:
    """As COPY takes it; nearly all of it is taken as it is."""
    return text if text.isprintable() and "\\" not in text else text.translate(ESCAPES)
