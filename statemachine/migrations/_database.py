"""What the engine asks of the database that no model says."""

from django.db import migrations

# The numbers by which every machine's rows stand in line.
TURNS = migrations.RunSQL("CREATE SEQUENCE statemachine_turn", "DROP SEQUENCE statemachine_turn")

# Nobody changes or deletes a row of the transition log; only a deleted user may vanish from it.
GUARD = """
CREATE OR REPLACE FUNCTION statemachine_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The transition log is append-only.';
END
$$
"""
WATCH = """
CREATE TRIGGER statemachine_log_is_append_only BEFORE UPDATE OR DELETE ON statemachine_transitionlog
    FOR EACH ROW EXECUTE FUNCTION statemachine_log_is_append_only()
"""
UNWATCH = "DROP TRIGGER statemachine_log_is_append_only ON statemachine_transitionlog"
LOG_IS_APPEND_ONLY = migrations.RunSQL(
    [GUARD, WATCH], [UNWATCH, "DROP FUNCTION statemachine_log_is_append_only()"]
)
