"""Who may do what: a row for each address and each transition. What is asked by them stands in `test_access`."""

from typing import NamedTuple

from tests.architecture.conftest import PEOPLE

EVERYBODY = frozenset(PEOPLE)
NOBODY: frozenset[str] = frozenset()
STAFF = frozenset(PEOPLE[2:])
VIEWER = frozenset(PEOPLE[3:])
OPERATOR = frozenset(PEOPLE[4:])
ADMINISTRATOR = frozenset(PEOPLE[5:])
SUPERUSER = frozenset(PEOPLE[6:])


class Row(NamedTuple):
    """Who may ask for an address, and who may post to it."""

    get: frozenset[str]
    post: frozenset[str]


def records(
    *,
    see: frozenset[str],
    add: frozenset[str] = NOBODY,
    change: frozenset[str] = NOBODY,
    delete: frozenset[str] = NOBODY,
) -> dict[str, Row]:
    """The rows of a model's pages in the admin."""
    return {
        "": Row(see, see),
        "add/": Row(add, add),
        "<object_id>/history/": Row(see, see),
        "<object_id>/delete/": Row(delete, delete),
        "<object_id>/change/": Row(see, change),
        "<object_id>/": Row(STAFF, STAFF),  # leads to the page before
    }


MODELS = {
    "leases/lease": records(see=VIEWER, add=OPERATOR, change=OPERATOR, delete=ADMINISTRATOR),
    "leases/agencystorageconfig": records(see=VIEWER, add=ADMINISTRATOR, change=ADMINISTRATOR, delete=ADMINISTRATOR),
    "leases/batch": records(see=VIEWER),
    "cloud/cloudlocation": records(see=VIEWER, delete=ADMINISTRATOR),
    "console/failurenotice": records(see=VIEWER),
    "statemachine/transitionlog": records(see=VIEWER),
    "cloud/dropboxaccount": records(see=ADMINISTRATOR),
    "storage/storageroot": records(see=VIEWER),
    "storage/storedfile": records(see=VIEWER),
    "storage/indexrun": records(see=VIEWER, add=OPERATOR),
    "api/apitoken": records(see=ADMINISTRATOR),
    # The operator's own; of others' an operator sees what a viewer does, see `tests.documents.admin`.
    "documents/document": records(see=VIEWER, change=OPERATOR),
    "documents/batch": records(see=VIEWER),
    # Those that one may share; see `tests.documents.admin.test_shares`.
    "documents/sharelink": records(see=OPERATOR),
    "documents/quota": records(see=ADMINISTRATOR, change=ADMINISTRATOR),
    "auth/user": records(see=ADMINISTRATOR, add=ADMINISTRATOR, change=ADMINISTRATOR, delete=ADMINISTRATOR),
    "auth/group": records(see=ADMINISTRATOR, add=SUPERUSER, change=SUPERUSER, delete=SUPERUSER),
}

QUEUE = "queues/<queue_index>/"
QUEUES = (
    "",
    "stats.json/",
    "stats.json/<token>/",
    QUEUE,
    f"{QUEUE}details/",
    f"{QUEUE}finished/",
    f"{QUEUE}failed/",
    f"{QUEUE}failed/clear/",
    f"{QUEUE}scheduled/",
    f"{QUEUE}started/",
    f"{QUEUE}deferred/",
    f"{QUEUE}empty/",
    f"{QUEUE}requeue-all/",
    f"{QUEUE}<job_id>/",
    f"{QUEUE}<job_id>/results/<result_id>/",
    f"{QUEUE}<job_id>/delete/",
    f"{QUEUE}<job_id>/requeue/",
    f"{QUEUE}<job_id>/enqueue/",
    "queues/confirm-action/<queue_index>/",
    "queues/actions/<queue_index>/",
    "workers/<queue_index>/",
    "workers/<queue_index>/<key>/",
    "schedulers/<scheduler_index>/",
    "cron-schedulers/<connection_index>/<scheduler_name>/",
    "cron-schedulers/<connection_index>/<scheduler_name>/jobs/<cron_job_name>/",
)
ADDRESSES = {
    "": Row(EVERYBODY, EVERYBODY),  # leads to the start page
    "metrics": Row(SUPERUSER, NOBODY),
    "favicon.ico": Row(EVERYBODY, EVERYBODY),  # leads to the icon
    "admin/": Row(STAFF, STAFF),
    "admin/login/": Row(EVERYBODY, EVERYBODY),
    # Who is not let into the console is led to its start page, and from there to the login.
    "admin/logout/": Row(EVERYBODY - STAFF, EVERYBODY),
    "admin/password_change/": Row(STAFF, STAFF),
    "admin/password_change/done/": Row(STAFF, NOBODY),
    "admin/autocomplete/": Row(NOBODY, NOBODY),  # no form asks for it
    "admin/jsi18n/": Row(STAFF, NOBODY),
    "admin/r/<content_type_id>/<object_id>/": Row(NOBODY, NOBODY),  # no record has a page outside the console
    "admin/<app_label>/": Row(VIEWER, VIEWER),
    "admin/<url>": Row(NOBODY, NOBODY),
    "admin/leases/lease/<pk>/<name>/": Row(NOBODY, OPERATOR),
    "api/v1/docs/": Row(STAFF, NOBODY),  # what is tried there is for whom the interface itself says
    "start/": Row(VIEWER, NOBODY),
    "admin/system/": Row(ADMINISTRATOR, NOBODY),
    "admin/console/failurenotice/mine/": Row(VIEWER, NOBODY),
    "admin/console/failurenotice/mine/read/": Row(NOBODY, VIEWER),
    "admin/leases/lease/rows/": Row(VIEWER, NOBODY),
    "admin/leases/lease/search/": Row(NOBODY, VIEWER),
    "admin/leases/lease/download/<kind>/": Row(VIEWER, NOBODY),
    "admin/leases/lease/<pk>/live/": Row(VIEWER, NOBODY),
    "admin/leases/batch/import/": Row(OPERATOR, OPERATOR),
    "admin/leases/batch/import/<upload_id>/": Row(OPERATOR, OPERATOR),
    "admin/leases/batch/import/<upload_id>/read/": Row(NOBODY, OPERATOR),
    "admin/leases/batch/import/<upload_id>/numbers/": Row(NOBODY, OPERATOR),
    "admin/leases/batch/import/<upload_id>/words/": Row(NOBODY, OPERATOR),
    "admin/leases/batch/import/<upload_id>/left-out/": Row(OPERATOR, NOBODY),
    "admin/leases/batch/<pk>/left-out/": Row(VIEWER, NOBODY),
    "admin/leases/batch/<pk>/live/": Row(VIEWER, NOBODY),
    "admin/leases/batch/<pk>/stop/": Row(NOBODY, OPERATOR),
    "admin/leases/batch/<pk>/again/": Row(NOBODY, OPERATOR),
    "admin/storage/storageroot/search/": Row(NOBODY, VIEWER),
    "admin/storage/storageroot/download/<kind>/": Row(VIEWER, NOBODY),
    "admin/storage/storageroot/<pk>/marker/": Row(NOBODY, ADMINISTRATOR),
    "admin/storage/storedfile/<pk>/fetch/": Row(VIEWER, NOBODY),
    "admin/storage/storedfile/<pk>/look/": Row(NOBODY, OPERATOR),
    "admin/storage/storedfile/search/": Row(NOBODY, VIEWER),
    "admin/storage/storedfile/download/<kind>/": Row(VIEWER, NOBODY),
    "admin/storage/indexrun/look/": Row(NOBODY, OPERATOR),
    "admin/storage/indexrun/<pk>/changes/": Row(VIEWER, NOBODY),
    "admin/storage/indexrun/<pk>/changes/<kind>/": Row(VIEWER, NOBODY),
    "admin/storage/indexrun/rows/": Row(VIEWER, NOBODY),
    "admin/storage/indexrun/search/": Row(NOBODY, VIEWER),
    "admin/storage/indexrun/download/<kind>/": Row(VIEWER, NOBODY),
    "admin/storage/indexrun/<pk>/live/": Row(VIEWER, NOBODY),
    "admin/storage/indexrun/<pk>/<name>/": Row(NOBODY, OPERATOR),  # stops it; what else is done, see `TRANSITIONS`
    "admin/documents/document/send/": Row(OPERATOR, OPERATOR),
    "admin/documents/document/<pk>/version/": Row(OPERATOR, OPERATOR),
    "admin/documents/document/<pk>/versions/<number>/restore/": Row(NOBODY, OPERATOR),
    "admin/documents/document/rows/": Row(VIEWER, NOBODY),
    "admin/documents/document/search/": Row(NOBODY, VIEWER),
    "admin/documents/document/download/<kind>/": Row(VIEWER, NOBODY),
    "admin/documents/document/<pk>/live/": Row(VIEWER, NOBODY),
    "admin/documents/document/<pk>/<name>/": Row(NOBODY, OPERATOR),
    "admin/documents/batch/<pk>/live/": Row(VIEWER, NOBODY),
    "admin/documents/batch/<pk>/stop/": Row(NOBODY, OPERATOR),
    "admin/documents/batch/<pk>/again/": Row(NOBODY, OPERATOR),
    "admin/documents/sharelink/search/": Row(NOBODY, OPERATOR),
    "admin/documents/sharelink/download/<kind>/": Row(OPERATOR, NOBODY),
    "admin/documents/sharelink/of/<document_id>/": Row(OPERATOR, OPERATOR),
    "admin/documents/sharelink/<pk>/revoke/": Row(NOBODY, OPERATOR),
    "admin/documents/quota/search/": Row(NOBODY, ADMINISTRATOR),
    "admin/documents/quota/download/<kind>/": Row(ADMINISTRATOR, NOBODY),
    "admin/auth/user/<id>/password/": Row(ADMINISTRATOR, ADMINISTRATOR),
    "tokens/": Row(STAFF, STAFF),
    "tokens/<pk>/revoke/": Row(NOBODY, ADMINISTRATOR),  # somebody else's; one's own, everybody
    "archives/<pk>/": Row(VIEWER, NOBODY),
    "dropbox/": Row(STAFF, NOBODY),
    "dropbox/connect/": Row(NOBODY, OPERATOR),
    "dropbox/check/": Row(NOBODY, OPERATOR),
    "dropbox/callback/": Row(OPERATOR, NOBODY),
    "dropbox/replace/": Row(NOBODY, OPERATOR),
    "dropbox/disconnect/": Row(STAFF, STAFF),
    "dropbox/webhook/": Row(EVERYBODY, NOBODY),  # what is posted has to be signed by Dropbox
    "files/<token>/": Row(NOBODY, NOBODY),  # opens what is signed, for whoever has the address
    # Open what a link opens, and what is public, for whoever asks; here there is neither. See `tests.documents.test_public`.
    "share/<token>/": Row(NOBODY, NOBODY),
    "share/<token>/download/": Row(NOBODY, NOBODY),
    "public/<unique_name>/": Row(NOBODY, NOBODY),
    "public/<unique_name>/download/": Row(NOBODY, NOBODY),
    f"admin/django_rq/dashboard/{QUEUE}<job_id>/stop/": Row(NOBODY, ADMINISTRATOR),
    **{f"admin/django_rq/dashboard/{page}": Row(ADMINISTRATOR, ADMINISTRATOR) for page in QUEUES},
    **{f"admin/{place}/{page}": row for place, rows in MODELS.items() for page, row in rows.items()},
}

TRANSITIONS = {
    "leases.lease": {
        "start_search": OPERATOR,
        "start_detection": OPERATOR,
        "make_archive": OPERATOR,
        "cancel": OPERATOR,
        "record_found": NOBODY,
        "record_not_found": NOBODY,
        "record_detection": NOBODY,
        "fail": NOBODY,
    },
    "console.failurenotice": {
        "start_sending": NOBODY,
        "record_sent": NOBODY,
        "record_needless": NOBODY,
        "fail": NOBODY,
    },
    "storage.indexrun": {
        "plan": OPERATOR,
        "abort": OPERATOR,
        "apply": ADMINISTRATOR,
        "undo": ADMINISTRATOR,
        "override": ADMINISTRATOR,
        "planned": NOBODY,
        "refuse": NOBODY,
        "applied": NOBODY,
        "undone": NOBODY,
        "fail": NOBODY,
    },
    "documents.document": {
        "verify": OPERATOR,
        "add_version": OPERATOR,
        "archive": OPERATOR,
        "restore": OPERATOR,
        "take_changed": OPERATOR,
        "bring_back": OPERATOR,
        "cancel": OPERATOR,
        "purge": ADMINISTRATOR,
        "verified": NOBODY,
        "verified_archived": NOBODY,
        "fail": NOBODY,
    },
}
# A run of the index is made and begins in one, see `SENT`: there is no button for one that is there. The bytes of a
# version come in by a page of their own. The ways back ask for a file that was changed; see `tests.documents.admin`.
WITHOUT_BUTTON = {
    ("storage.indexrun", "plan"),
    *(("documents.document", name) for name in ("add_version", "take_changed", "bring_back")),
}
AT_PAGES = [(of, name) for of, rows in TRANSITIONS.items() for name in rows if (of, name) not in WITHOUT_BUTTON]
