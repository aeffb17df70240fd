"""The transition log in parts, one for each month; the table of before becomes the part of what is kept.

No row is moved or read: it takes a moment, however long the log is. A program of the version before goes on writing,
since PostgreSQL gives each row its month.
"""

from django.db import migrations

# What trims the log says so, in its own transaction; nobody else may delete.
GUARD = """
CREATE OR REPLACE FUNCTION statemachine_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('statemachine.trims_log', true) = 'yes' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The transition log is append-only.';
END
$$
"""
GUARD_OF_BEFORE = """
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
ACTOR = "statemachine_transitionlog_actor_id_7b8dd031"
# As Django names and makes it.
OF_ACTOR = f"""
ALTER TABLE statemachine_transitionlog ADD CONSTRAINT {ACTOR}_fk_auth_user_id
    FOREIGN KEY (actor_id) REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED
"""
# This month and the two that follow; the reconcilers see to the others.
MONTHS = """
DO $$
DECLARE
    first date := date_trunc('month', now() AT TIME ZONE 'UTC');
BEGIN
    FOR ahead IN 0..2 LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF statemachine_transitionlog FOR VALUES FROM (%L) TO (%L)',
            to_char(first + ahead * interval '1 month', '"statemachine_log_"YYYY_MM'),
            first + ahead * interval '1 month', first + (ahead + 1) * interval '1 month'
        );
    END LOOP;
END
$$
"""
# The next number is asked of the rows, since the sequence goes with the column's identity.
NEXT = "SELECT setval('{sequence}', (SELECT COALESCE(max(id), 0) + 1 FROM {table}), false)"

FORTH = [
    "LOCK TABLE statemachine_transitionlog IN ACCESS EXCLUSIVE MODE",
    "DROP TRIGGER statemachine_log_is_append_only ON statemachine_transitionlog",
    GUARD,
    "ALTER TABLE statemachine_transitionlog RENAME TO statemachine_log_kept",
    "ALTER TABLE statemachine_log_kept ALTER COLUMN id DROP IDENTITY",
    "ALTER TABLE statemachine_log_kept DROP CONSTRAINT statemachine_transitionlog_pkey",
    "ALTER TABLE statemachine_log_kept ADD PRIMARY KEY USING INDEX statemachine_log_kept_pkey",
    "ALTER TABLE statemachine_log_kept DROP CONSTRAINT statemachine_log_once_per_generation",
    "ALTER TABLE statemachine_log_kept ADD UNIQUE USING INDEX statemachine_log_kept_once",
    "ALTER INDEX statemachine_log_at RENAME TO statemachine_log_kept_at",
    f"ALTER INDEX {ACTOR} RENAME TO statemachine_log_kept_actor",
    "CREATE TABLE statemachine_transitionlog (LIKE statemachine_log_kept INCLUDING CONSTRAINTS) "
    "PARTITION BY RANGE (month)",
    "ALTER TABLE statemachine_transitionlog DROP CONSTRAINT statemachine_log_is_kept",
    "CREATE SEQUENCE statemachine_transitionlog_id_seq OWNED BY statemachine_transitionlog.id",
    NEXT.format(sequence="statemachine_transitionlog_id_seq", table="statemachine_log_kept"),
    "ALTER TABLE statemachine_transitionlog "
    "ALTER COLUMN id SET DEFAULT nextval('statemachine_transitionlog_id_seq'), "
    "ALTER COLUMN month SET DEFAULT date_trunc('month', now() AT TIME ZONE 'UTC')",
    "ALTER TABLE statemachine_transitionlog ADD PRIMARY KEY (id, month)",
    "ALTER TABLE statemachine_transitionlog ADD CONSTRAINT statemachine_log_once_per_generation "
    "UNIQUE (record_type, record_id, generation, month)",
    "CREATE INDEX statemachine_log_at ON statemachine_transitionlog (at)",
    f"CREATE INDEX {ACTOR} ON statemachine_transitionlog (actor_id)",
    OF_ACTOR,
    # The constraint, which holds for all of its rows, spares PostgreSQL reading them.
    "ALTER TABLE statemachine_transitionlog ATTACH PARTITION statemachine_log_kept "
    "FOR VALUES FROM (MINVALUE) TO ('2000-01-01')",
    "ALTER TABLE statemachine_log_kept DROP CONSTRAINT statemachine_log_is_kept",
    MONTHS,
    # What comes where nobody has seen to the months must not be refused.
    "CREATE TABLE statemachine_log_default PARTITION OF statemachine_transitionlog DEFAULT",
    WATCH,
]
BACK = [
    "LOCK TABLE statemachine_transitionlog IN ACCESS EXCLUSIVE MODE",
    "DROP TRIGGER statemachine_log_is_append_only ON statemachine_transitionlog",
    "UPDATE statemachine_transitionlog SET month = '1970-01-01' WHERE month > '1970-01-01'",
    # What was moved is checked now, or the table could not be changed.
    "SET CONSTRAINTS ALL IMMEDIATE",
    "ALTER TABLE statemachine_transitionlog DETACH PARTITION statemachine_log_kept",
    "DROP TABLE statemachine_transitionlog",
    "ALTER TABLE statemachine_log_kept RENAME TO statemachine_transitionlog",
    "ALTER TABLE statemachine_transitionlog "
    "ALTER COLUMN month SET DEFAULT '1970-01-01', "
    "ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME statemachine_transitionlog_id_seq)",
    NEXT.format(sequence="statemachine_transitionlog_id_seq", table="statemachine_transitionlog"),
    "ALTER TABLE statemachine_transitionlog ADD CONSTRAINT statemachine_log_is_kept CHECK (month = '1970-01-01')",
    "ALTER TABLE statemachine_transitionlog DROP CONSTRAINT statemachine_log_kept_pkey",
    "ALTER TABLE statemachine_transitionlog ADD PRIMARY KEY (id)",
    "ALTER TABLE statemachine_transitionlog DROP CONSTRAINT statemachine_log_kept_once",
    "ALTER TABLE statemachine_transitionlog ADD CONSTRAINT statemachine_log_once_per_generation "
    "UNIQUE (record_type, record_id, generation)",
    # As the migrations before left them, which take them away.
    "CREATE UNIQUE INDEX statemachine_log_kept_pkey ON statemachine_transitionlog (id, month)",
    "CREATE UNIQUE INDEX statemachine_log_kept_once "
    "ON statemachine_transitionlog (record_type, record_id, generation, month)",
    "ALTER INDEX statemachine_log_kept_at RENAME TO statemachine_log_at",
    f"ALTER INDEX statemachine_log_kept_actor RENAME TO {ACTOR}",
    GUARD_OF_BEFORE,
    WATCH,
]


class Migration(migrations.Migration):
    dependencies = [("statemachine", "0005_log_is_kept")]

    operations = [
        migrations.RunSQL(
            FORTH,
            BACK,
            # That a transition is logged once is told of a month; the model cannot say that.
            state_operations=[migrations.RemoveConstraint("TransitionLog", "statemachine_log_once_per_generation")],
        ),
    ]
