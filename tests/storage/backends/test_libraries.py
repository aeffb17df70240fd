"""What a store's own library costs is paid only where it is configured."""

import os

from tests.forking import Forks

LOOK = """
import sys
import storage.backends.azure, storage.backends.gcs, storage.backends.local, storage.backends.s3
print(sorted({"azure", "boto3", "botocore", "google.cloud", "google.auth"} & set(sys.modules)))
"""


def test_are_not_imported_with_the_back_ends(prepared: Forks) -> None:
    environment = dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "core.settings.test"}

    done = prepared.run("python", "-c", LOOK, environment=environment)

    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
