"""Refuse to change or delete a row of the transition log; only a deleted user may vanish from it."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION statemachine_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The transition log is append-only.';
END
$$;
CREATE TRIGGER statemachine_log_is_append_only BEFORE UPDATE OR DELETE ON statemachine_transitionlog
    FOR EACH ROW EXECUTE FUNCTION statemachine_log_is_append_only();
"""

BACKWARD = """
DROP TRIGGER statemachine_log_is_append_only ON statemachine_transitionlog;
DROP FUNCTION statemachine_log_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("statemachine", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
