"""SHA-256 in several turns."""

from hashlib import sha256

from documents.hashing import resumed


def test_goes_on_between_turns_at_any_byte() -> None:
    content, state, done = bytes(range(256)) * 16, b"", 0
    for cut in (1, 63, 64, 65, 128, 1_000, 1_000, 4_096):
        digest = resumed(state)
        digest.update(content[done:cut])
        state, done = digest.serialize(), cut

    assert resumed(memoryview(state).tobytes()).finalize() == sha256(content).hexdigest()
    assert resumed(b"").finalize() == sha256().hexdigest()
