"""A developer's machine, but for two things: what a browser was served it keeps, as from any other machine, and archives are not watched.

Nobody changes a style sheet while the tests run, and a page that asks for each of its twenty files again loads slowly.
"""

from core.settings.dev import *  # noqa: F403 - settings modules build on one another by Django's convention

WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
# No worker reads archives here.
ARCHIVE_WATCH_EVERY_S = 0
