"""A client that is made of the description, as others make theirs, does what the interface is for."""

import sys
from pathlib import Path

import httpx
import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from tests.api.description import CHECKED_IN


def test_x(tmp_path):
    config = Config.from_sources(ConfigFile(post_hooks=[]), MetaType.NONE, CHECKED_IN, "utf-8", overwrite=True, output_path=tmp_path / "runsheet_client")
    assert generate(config=config) == []
    print(sorted(p for p in tmp_path.rglob("*.py")))
    assert 0
