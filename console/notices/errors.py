"""What keeps a mail from its reader."""

from core.base.errors import Permanent, Temporary


class EmailNotConfigured(Permanent):
    """No mail server is configured, so nobody is told by e-mail. Set EMAIL_URL."""

    code = "email_not_configured"
    words = "no mail server"


class NoAddress(Permanent):
    """The person has no e-mail address. Add one under “People”."""

    code = "no_address"
    words = "no e-mail address"


class EmailUnavailable(Temporary):
    """The mail server did not take the mail."""

    code = "email_unavailable"
    words = "mail server out of reach"
