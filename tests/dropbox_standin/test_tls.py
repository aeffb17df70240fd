"""The SDK over TLS, unmodified and without an adapter, by its environment variables alone."""

import os
import subprocess
import sys

import pytest

from dropbox_standin.client import Standin
from dropbox_standin.process import Tls

pytestmark = pytest.mark.process

SCRIPT = """
import sys
import dropbox
from dropbox.common import PathRoot
from dropbox.exceptions import ApiError

client = dropbox.Dropbox(
    oauth2_refresh_token="standin-refresh-olivia",
    app_key="standin-app",
    app_secret="standin-secret",
    ca_certs=sys.argv[1],
    max_retries_on_error=0,
)
root = client.users_get_current_account().root_info.root_namespace_id
team = client.with_path_root(PathRoot.root(root))
print([entry.name for entry in team.files_list_folder("/Archive").entries])
url = team.sharing_create_shared_link_with_settings("/Archive").url
try:
    team.sharing_create_shared_link_with_settings("/Archive")
except ApiError as error:
    print(error.error.get_shared_link_already_exists().get_metadata().url == url)
team.files_upload(b"x", "/Archive/new.txt")
print(team.files_download("/Archive/new.txt")[1].content)
print(team.files_list_folder_longpoll(team.files_list_folder_get_latest_cursor("").cursor).changes)
client.auth_token_revoke()
"""


class TestTls:
    def test_serves_the_unmodified_sdk_by_its_environment(self, standin_by_tls: Standin, tls: Tls) -> None:
        standin_by_tls.put("/Archive/report.pdf")
        standin_by_tls.longpoll_cap(0)
        authority = standin_by_tls.base_url.removeprefix("https://")
        hosts = ("DROPBOX_API_HOST", "DROPBOX_API_CONTENT_HOST", "DROPBOX_API_NOTIFY_HOST", "DROPBOX_WEB_HOST")

        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tls.ca)],
            env={**os.environ, **dict.fromkeys(hosts, authority)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert done.stderr == ""
        assert done.stdout.splitlines() == ["['report.pdf']", "True", "b'x'", "False"]

    def test_can_break_a_connection_too(self, standin_by_tls: Standin, tls: Tls) -> None:
        import requests

        for kind in ("reset", "close", "truncate"):
            standin_by_tls.fault("check/user", kind=kind)
            with pytest.raises(requests.RequestException):
                requests.post(f"{standin_by_tls.base_url}/2/check/user", verify=str(tls.ca), timeout=10)
