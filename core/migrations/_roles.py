"""What a person may do is said by a role, which is one of Django's groups."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SEE = (
    "leases.view_lease",
    "cloud.view_cloudlocation",
    "leases.view_agencystorageconfig",
    "console.view_failurenotice",
    "statemachine.view_transitionlog",
    "storage.view_storageroot",
    "storage.view_storedfile",
    "storage.view_indexrun",
    "storage.view_indexchange",
    # Of everybody: an archive of a company's.
    "documents.view_document",
)
RUN = (
    "leases.add_lease",
    "leases.change_lease",
    "leases.run_discovery",
    # Only where the installation and the person's own Dropbox let Runsheet write at all.
    "leases.make_archives",
    # To look, and to stop a look: it changes no row.
    "storage.run_index",
    # Their own.
    "documents.add_document",
    "documents.change_document",
    "documents.share_document",
    "documents.view_sharelink",
)
ADMINISTER = (
    "leases.delete_lease",
    "leases.add_agencystorageconfig",
    "leases.change_agencystorageconfig",
    "leases.delete_agencystorageconfig",
    "cloud.delete_cloudlocation",
    "cloud.view_dropboxaccount",
    "api.view_apitoken",
    "api.revoke_apitoken",
    "statemachine.use_queues",
    "storage.change_index",
    "storage.override_brake",
    "documents.manage_documents",
    "documents.purge_document",
    "documents.view_quota",
    "documents.change_quota",
    # console.shell.people keeps who may change users from becoming more than he is.
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    "auth.delete_user",
    "auth.view_group",
)
ROLES = {
    "Viewer": SEE,
    "Operator": SEE + RUN,
    "Administrator": SEE + RUN + ADMINISTER,
}


def make_roles(apps, schema_editor):
    """Run again, it gives back what was taken from a role, and takes nothing away."""
    _make_permissions(apps)
    Permission = apps.get_model("auth", "Permission")
    for name, rights in ROLES.items():
        role, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        for right in rights:
            app, _, codename = right.partition(".")
            role.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))


def _make_permissions(apps):
    """Django makes them only when all migrations are done."""
    for label in sorted({right.partition(".")[0] for right in ROLES["Administrator"]}):
        app = apps.get_app_config(label)
        # An app as a migration sees it has no module, and is passed over without one.
        app.models_module = True
        create_permissions(app, apps=apps, verbosity=0)
        app.models_module = None


# Undone, the roles stay, and so do the people in them.
ROLES_ARE_MADE = migrations.RunPython(make_roles, migrations.RunPython.noop)
