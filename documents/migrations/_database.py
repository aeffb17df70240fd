"""What PostgreSQL itself sees to.

A version says for ever what it said at first; and whatever is said beside the files as well (`documents.sidecars`) is owed in
the transaction that changes it, whoever does that.
"""

from django.db import migrations

VERSIONS_STAY = migrations.RunSQL(
    """
CREATE FUNCTION documents_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.document_id, NEW.number, NEW.key, NEW.name, NEW.size, NEW.sha256, NEW.declared_type,
            NEW.restored_from, NEW.why, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.document_id, OLD.number, OLD.key, OLD.name, OLD.size, OLD.sha256,
            OLD.declared_type, OLD.restored_from, OLD.why, OLD.created_at)
        -- A person's account may be deleted.
        OR NEW.created_by_id IS DISTINCT FROM OLD.created_by_id AND NEW.created_by_id IS NOT NULL THEN
        RAISE EXCEPTION 'a version of a document never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER documents_version_stays BEFORE UPDATE ON documents_documentversion
    FOR EACH ROW EXECUTE FUNCTION documents_version_stays();
""",
    """
DROP TRIGGER documents_version_stays ON documents_documentversion;
DROP FUNCTION documents_version_stays();
""",
)

# What an engine writes while it works stands in no sidecar: claims, tries, how far the verifying is.
OF_DOCUMENTS = (
    "uuid, unique_name, owner_id, lease_id, charged_agency, name, metadata, is_public, state, current, last_number, revision, "
    "size_bytes, mime_type, verified_at, checked_out_by_id, checked_out_until, archived_at, purge_at, created_at, updated_by_id, "
    "failure_code, failure_message"
)
OF_LINKS = (
    "token_sha256, label, password, expires_at, downloads_at_most, created_by_id, revoked_at, revoked_by_id, suspended_at, suspended_why"
)


def _both(columns: str) -> str:
    names = [name.strip() for name in columns.split(",")]
    return f"({', '.join(f'NEW.{name}' for name in names)}) IS DISTINCT FROM ({', '.join(f'OLD.{name}' for name in names)})"


SIDECARS_ARE_OWED = migrations.RunSQL(
    f"""
CREATE FUNCTION documents_document_owes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO documents_owedsidecar (document_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION documents_part_owes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO documents_owedsidecar (document_id) VALUES (NEW.document_id);
    RETURN NULL;
END $$;
CREATE FUNCTION documents_link_owes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- How often a link was fetched is written once a minute: many may fetch at once.
    INSERT INTO documents_owedsidecar (document_id, due_at) VALUES (NEW.document_id, CASE
        WHEN {_both(OF_LINKS)} THEN statement_timestamp() ELSE statement_timestamp() + interval '1 minute' END);
    RETURN NULL;
END $$;
CREATE FUNCTION documents_quota_owes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO documents_owedsidecar (quota_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER documents_document_made_owes AFTER INSERT ON documents_document
    FOR EACH ROW EXECUTE FUNCTION documents_document_owes();
CREATE TRIGGER documents_document_changed_owes AFTER UPDATE ON documents_document
    FOR EACH ROW WHEN ({_both(OF_DOCUMENTS)}) EXECUTE FUNCTION documents_document_owes();
CREATE TRIGGER documents_version_owes AFTER INSERT OR UPDATE ON documents_documentversion
    FOR EACH ROW EXECUTE FUNCTION documents_part_owes();
CREATE TRIGGER documents_link_made_owes AFTER INSERT ON documents_sharelink
    FOR EACH ROW EXECUTE FUNCTION documents_part_owes();
CREATE TRIGGER documents_link_changed_owes AFTER UPDATE ON documents_sharelink
    FOR EACH ROW EXECUTE FUNCTION documents_link_owes();
CREATE TRIGGER documents_quota_made_owes AFTER INSERT ON documents_quota
    FOR EACH ROW WHEN (NEW.limit_bytes IS NOT NULL) EXECUTE FUNCTION documents_quota_owes();
CREATE TRIGGER documents_quota_changed_owes AFTER UPDATE ON documents_quota
    FOR EACH ROW WHEN (NEW.limit_bytes IS DISTINCT FROM OLD.limit_bytes) EXECUTE FUNCTION documents_quota_owes();
""",  # noqa: S608 - of names of columns
    """
DROP TRIGGER documents_document_made_owes ON documents_document;
DROP TRIGGER documents_document_changed_owes ON documents_document;
DROP TRIGGER documents_version_owes ON documents_documentversion;
DROP TRIGGER documents_link_made_owes ON documents_sharelink;
DROP TRIGGER documents_link_changed_owes ON documents_sharelink;
DROP TRIGGER documents_quota_made_owes ON documents_quota;
DROP TRIGGER documents_quota_changed_owes ON documents_quota;
DROP FUNCTION documents_document_owes();
DROP FUNCTION documents_part_owes();
DROP FUNCTION documents_link_owes();
DROP FUNCTION documents_quota_owes();
""",
)
