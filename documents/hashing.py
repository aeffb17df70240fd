"""SHA-256 of bytes that come, or are read, in several turns: what is known so far is kept between them."""

from rehashes import PySha256


def resumed(state: bytes) -> PySha256:
    """The checksum under way, from what was kept of it (`serialize`).

    Args:
        state: empty at the beginning.
    """
    return PySha256.deserialize(state) if state else PySha256()
