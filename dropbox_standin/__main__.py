"""`python -m dropbox_standin`: see the README in this folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from dropbox_standin import lifeline, server
from dropbox_standin.seeds import BadSeed
from dropbox_standin.world import Settings

HIGHEST_PORT = 65_535


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"dropbox_standin: {message}\n")


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    if (options.tls_cert is None) != (options.tls_key is None):
        parser.error("--tls-cert and --tls-key belong together: give both or neither")
    tls = (options.tls_cert, options.tls_key) if options.tls_cert else None
    settings = Settings(latency_s=options.latency_ms / 1000, page_size=options.page_size)
    if options.parent is not None and not lifeline.tie_to_parent(options.parent):
        return 0
    try:
        listener = server.listen(options.port)
    except OSError as error:
        parser.error(f"port {options.port} cannot be used ({error.strerror}); choose another, or 0 for a free one")
    try:
        server.run(listener=listener, seed=options.seed, settings=settings, tls=tls)
    except BadSeed as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"the TLS certificate or key cannot be used: {error}")
    return 0


def _parser() -> Parser:
    parser = Parser(prog="dropbox_standin", description="A stand-in for Dropbox on loopback.")
    parser.add_argument("--port", type=_whole(0, HIGHEST_PORT), required=True, help="0 picks a free one")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve https with this certificate (PEM)")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's key (PEM)")
    parser.add_argument("--latency-ms", type=_whole(0, 600_000), default=0, help="added to each call")
    parser.add_argument("--page-size", type=_whole(1, 2000), default=2000, help="most entries in a page")
    parser.add_argument("--seed", default="demo", help="demo, empty, or a JSON file (see the README)")
    parser.add_argument("--parent", type=_whole(1, 2**31), help="end when the process with this id ends")
    return parser


class _whole:  # noqa: N801 - argparse shows it as the name of a type
    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, value: str) -> int:
        number = int(value) if value.isascii() and value.isdecimal() else -1
        if not self.least <= number <= self.most:
            raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from {self.least} to {self.most}")
        return number


if __name__ == "__main__":
    sys.exit(main())
