"""What programs do not need they do not import: each import is paid at every start."""

import os

from tests.forking import Forks

LOOK = """
import sys
import django
django.setup()
import statemachine.worker, statemachine.management.commands.reconcile
print(sorted({"ninja", "pydantic"} & set(sys.modules)))
"""


def test_workers_do_without_what_answers_programs(prepared: Forks) -> None:
    environment = dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "core.settings.test"}

    done = prepared.run("python", "-c", LOOK, environment=environment)

    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
