import pytest
from django.contrib.auth.models import User

from documents.states import State
from tests.documents.making import PDF, Files, digest, stored, verified

pytestmark = pytest.mark.django_db


class TestStore:
    def test_keeps_bytes_and_what_is_said_of_them(self, opal: User, files: Files) -> None:
        document = stored(opal, metadata={"county": "Lea"}, declared_type="application/pdf", why="from the clerk")

        version = document.versions.get()
        assert files.all() == {f"{opal.pk}/documents/{document.pk}/1/Deed_of_1907.pdf": PDF}
        assert (document.state, document.current, document.size_bytes) == (State.PENDING, 1, len(PDF))
        assert (version.sha256, version.created_by, version.why) == (digest(PDF), opal, "from the clerk")
        assert document.is_owed

    def test_is_verified(self, opal: User) -> None:
        document = verified(opal)

        assert (document.state, document.mime_type) == (State.ACTIVE, "application/pdf")
