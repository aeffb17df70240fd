#!/usr/bin/env python
"""Django's command line, with the development settings unless told otherwise."""

import os
import sys

INTERRUPTED = 130


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings.dev")
    try:
        # Importing Django takes long enough for somebody to press Ctrl-C.
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
        from django.core.management import execute_from_command_line  # noqa: PLC0415

        from core.base.call_stack import roomy  # noqa: PLC0415

        try:
            roomy(execute_from_command_line)(sys.argv)
        except ImproperlyConfigured as error:
            sys.exit(str(error))
        except Exception as error:
            # A server that is away is nobody's bug, whichever command meets it.
            if words := _outage(error):
                sys.exit(words)
            raise
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _outage(error: Exception) -> str:
    """What ails PostgreSQL, Redis or this host, and what to do; empty for anything else."""
    from django.conf import settings  # noqa: PLC0415

    from core.base.outages import in_words  # noqa: PLC0415

    return in_words(error) if settings.configured else ""


if __name__ == "__main__":
    main()
