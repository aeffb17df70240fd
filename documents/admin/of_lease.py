"""The documents of a lease, on its page, and the way to send one."""

from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from core.base.sizes import size_text
from documents.models import Document
from documents.services.rights import ADD, VIEW
from leases.models import Lease

SHOWN = 10


def section(lease: Lease, user: User) -> SafeString | str:
    """The newest of them; nothing for who has to do with no documents."""
    may_see, may_add = user.has_perm(VIEW), user.has_perm(ADD)
    if not may_see and not may_add:
        return ""
    found = list(Document.objects.filter(lease=lease).order_by("-pk")[: SHOWN + 1]) if may_see else []
    for each in found:
        each.shown_size = size_text(each.size_bytes)  # type: ignore[attr-defined]  # for the template
    listed = reverse("admin:documents_document_changelist")
    given = {
        "documents": found[:SHOWN],
        "all_url": f"{listed}?{urlencode({'lease__id__exact': lease.pk})}" if len(found) > SHOWN else "",
        "send_url": f"{reverse('admin:documents_document_send')}?lease={lease.pk}" if may_add else "",
    }
    return render_to_string("admin/documents/of_lease.html", given)
