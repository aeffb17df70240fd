"""What PostgreSQL itself sees to: a version says for ever what it said at first."""

from django.db import migrations

VERSIONS_STAY = migrations.RunSQL(
    """
CREATE FUNCTION documents_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.document_id, NEW.number, NEW.key, NEW.name, NEW.size, NEW.sha256, NEW.blocks, NEW.declared_type,
            NEW.restored_from, NEW.why, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.document_id, OLD.number, OLD.key, OLD.name, OLD.size, OLD.sha256, OLD.blocks,
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
