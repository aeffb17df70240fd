"""The routes held against the types that the SDK was generated with."""

import re

import pytest
from dropbox import Dropbox

from dropbox_standin import api
from dropbox_standin.call import OpenRoute
from tests.dropbox_standin.clients import ROUTES


@pytest.mark.parametrize("name", sorted(api.ROUTES))
def test_route_knows_every_field_of_its_argument_and_no_other(name: str) -> None:
    argument = ROUTES[name].arg_type

    fields = argument.definition._all_field_names_ if hasattr(argument, "definition") else set()

    assert set(api.ROUTES[name].fields) == fields


@pytest.mark.parametrize("name", sorted(api.ROUTES))
def test_route_asks_for_what_the_specification_says(name: str) -> None:
    attributes, route = ROUTES[name].attrs, api.ROUTES[name]

    assert getattr(route, "style", "rpc") == (attributes["style"] or "rpc")
    assert {"Route": "user", "AppRoute": "app", "OpenRoute": "noauth"}[type(route).__name__] in attributes["auth"]
    if isinstance(route, OpenRoute):
        return  # without a token there is no scope to ask for, though the specification names one
    described = re.search(r"scope: (\S+)", getattr(Dropbox, name.replace("/", "_")).__doc__ or "")
    assert getattr(route, "scope", None) == (described and described[1])
