"""Pages without the frame of the console, for who asks for hundreds of them."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import Engine, Template
from django.template.loaders.cached import Loader
from django.utils.html import format_html

from console.shell.site import Console
from core.http import refusals

# The page in the middle of the frame.
BARE = """<title>{% block title %}{% endblock %}</title>
{% for message in messages %}{{ message }}{% endfor %}
{% block pretitle %}{% endblock %}
{% block content_title %}{% if title %}<h1>{{ title }}</h1>{% endif %}{% endblock %}
{% block content_subtitle %}{% endblock %}
{% block object-tools %}{% endblock %}{% block content %}{% endblock %}{% block sidebar %}{% endblock %}"""


@pytest.fixture
def unframed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and refusals without the console around them, which is most of their cost; `test_pages` sees them with it."""

    def refuse(title: str, sentence: str) -> str:
        return format_html('<h1 id="refusal">{}</h1> <p>{}</p>', title, sentence)

    def alone(_request: HttpRequest, title: str, sentence: str, *, status: int) -> HttpResponse:
        return HttpResponse(refuse(title, sentence), status=status)

    monkeypatch.setattr(refusals, "_refuse", alone)
    monkeypatch.setattr(refusals, "_alone", refuse)
    listing = Console.get_app_list
    monkeypatch.setattr(Console, "get_app_list", lambda site, *asked: listing(site, *asked) if asked[1:] else [])
    engine = Engine.get_default()
    (loader,) = engine.template_loaders
    assert isinstance(loader, Loader)
    monkeypatch.setitem(loader.get_template_cache, "admin/base_site.html", Template(BARE, engine=engine))
