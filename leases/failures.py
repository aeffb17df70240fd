"""What failures are called where there is room for a few words; the whole story is each failure's own sentence."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "another_folder": "another folder of this path",
    "app_disabled": "Dropbox app disabled",
    "app_folder_only": "Dropbox app limited to its folder",
    "app_full": "Dropbox app has too many users",
    "app_key_missing": "no Dropbox app configured",
    "app_refused": "Dropbox app not known",
    "archive_out_of_sight": "archive out of this account's sight",
    "base_path_missing": "archive folder not in this Dropbox",
    "bug": "a bug",
    "configuration_changed": "configuration changed meanwhile",
    "configuration_disabled": "agency switched off",
    "configuration_missing": "agency not configured",
    "connect_dropbox": "Dropbox not connected",
    "crashed": "worker crashed",
    "directory_elsewhere": "directory lies elsewhere",
    "database_outage": "the console's database out of order",
    "directory_too_large": "directory too large",
    "directory_unknown": "directory not known",
    "dropbox_ceiling": "too many Dropbox calls at once",
    "dropbox_paused": "Dropbox asked for a pause",
    "dropbox_rate_limited": "Dropbox asked to slow down",
    "dropbox_reconnected": "Dropbox connected anew meanwhile",
    "dropbox_refused": "refused by Dropbox",
    "dropbox_unavailable": "Dropbox out of reach",
    "email_not_configured": "no mail server",
    "email_unavailable": "mail server out of reach",
    "host_outage": "a machine of the console's out of order",
    "no_address": "no e-mail address",
    "no_user": "nobody to run it for",
    "not_a_directory": "a file in the directory's place",
    "our_outage": "the console out of order",
    "redis_outage": "the console's Redis out of order",
    "row_locked": "record in use",
    "tokens_unreadable": "Dropbox tokens not readable",
    "took_too_long": "took too long",
    "unsafe_path": "path not safe",
    "worker_stopped": "worker stopped",
}


def in_words(code: str) -> str:
    """A failure code as a person would say it."""
    return WORDS.get(code, code.replace("_", " "))
