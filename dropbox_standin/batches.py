"""`files/create_folder_batch`: many folders by one call, at once or as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import Call, Route
from dropbox_standin.names import fold_path
from dropbox_standin.placing import NotWritten, put_folder
from dropbox_standin.views import without_tag
from dropbox_standin.wire import Answer, Union, answer_json

if TYPE_CHECKING:
    from dropbox_standin.tree import Namespace

MOST_PATHS = 10_000
CHECK = "files/create_folder_batch/check"


def create_folder_batch(call: Call) -> Answer:
    if not (call.args["force_async"] or len(call.args["paths"]) > call.world.jobs.async_above):
        return answer_json(_create(call))
    return answer_json(call.world.jobs.launch(account=call.account, checked_by=CHECK, work=lambda: _create(call)))


def check_create_folder_batch(call: Call) -> Answer:
    return answer_json(call.world.jobs.check(call.args["async_job_id"], account=call.account, checked_by=CHECK))


def _create(call: Call) -> Union:
    """Make the folders in the order of the paths, each once; one that fails stops no other."""
    results: dict[str, dict[str, Any]] = {}
    touched: dict[str, Namespace] = {}
    for path in call.args["paths"]:
        key = fold_path(path)
        if key not in results:
            results[key] = _create_one(call, path, touched)
    for namespace in touched.values():
        call.world.tell(namespace)
    return {".tag": "complete", "entries": [results[fold_path(path)] for path in call.args["paths"]]}


def _create_one(call: Call, path: str, touched: dict[str, Namespace]) -> dict[str, Any]:
    try:
        folder = put_folder(call, path, autorename=call.args["autorename"])
    except NotWritten as error:
        return {".tag": "failure", "failure": {".tag": "path", "path": error.reason}}
    namespace = call.view.namespace_of(folder)
    touched[namespace.id] = namespace
    return {".tag": "success", "metadata": without_tag(call.view.describe(folder))}


ROUTES = (
    Route(
        "files/create_folder_batch",
        create_folder_batch,
        {
            "paths": args.items(args.string(args.WRITE_PATH), most=MOST_PATHS),
            "autorename": args.boolean(default=False),
            "force_async": args.boolean(default=False),
        },
        "files.content.write",
    ),
    Route(CHECK, check_create_folder_batch, {"async_job_id": args.string(".+")}, "files.content.write"),
)
