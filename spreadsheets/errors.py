"""What can be wrong with a file."""

from core.base.errors import Refused


class UnreadableFile(Refused):
    """This file cannot be read as a table. Save it as CSV or XLSX, and choose that file."""

    code = "unreadable_file"
