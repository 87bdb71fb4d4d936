-- Sagas: code with named steps that goes on where it was. A saga in flight is a row of hapax.saga; one that has ended is a row of hapax.saga_ended, and goes with its day.

-- A saga keeps the definition that it was started with.
CREATE TABLE hapax.saga_definition (
    id            int         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version       int         NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    name          text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    UNIQUE (name, version)
);

-- Words are checked by domains, and what hangs together by a trigger on the columns that it is about: a CHECK of a table is parsed and prepared again by every statement that writes there, whatever it
-- sets, and for a saga that cost more than the row.
CREATE DOMAIN hapax.saga_state AS varchar(12) COLLATE "C"
    CHECK (VALUE IN ('RUNNING', 'WAITING', 'COMPENSATING', 'STUCK', 'COMPLETED', 'COMPENSATED', 'CANCELLED'));
CREATE DOMAIN hapax.saga_cause AS varchar(9) COLLATE "C" CHECK (VALUE IN ('FAILED', 'TIMED_OUT', 'CANCELLED'));
CREATE DOMAIN hapax.saga_step_kind AS varchar(6) COLLATE "C" CHECK (VALUE IN ('STEP', 'SLEEP', 'WAIT', 'CHILD', 'CLAIM'));
CREATE DOMAIN hapax.saga_step_state AS varchar(7) COLLATE "C" CHECK (VALUE IN ('OPEN', 'TRYING', 'DONE', 'FAILED', 'SKIPPED'));

-- A step that was done at its first try: most are, and it is never written again.
CREATE TYPE hapax.saga_done AS (
    began_at timestamptz,
    ended_at timestamptz,
    token    bigint,
    number   int,
    nth      int,
    undoable boolean,
    name     text,
    type     text,
    body     bytea
);

-- Small and hot: a saga in flight. `owner` works on it until `due_at`, which it puts off while it lives; without an owner it waits for `due_at`. So one index tells what is to be done: what was started,
-- what has slept long enough, what is tried again, and what belonged to a process that is gone. The token grows with each owner; every write of an owner carries it, and a stale one changes nothing.
CREATE TABLE hapax.saga (
    id          uuid         PRIMARY KEY,
    token       bigint       NOT NULL DEFAULT 1,
    started_at  timestamptz  NOT NULL,
    due_at      timestamptz  NOT NULL,
    deadline_at timestamptz  NOT NULL DEFAULT 'infinity',
    key_time    timestamptz,
    -- Of a child that has ended.
    ended_at    timestamptz,
    definition  int          NOT NULL,
    -- The day that holds its steps.
    day         date         NOT NULL,
    -- What has happened to it from outside: signals, ends of children. It goes to sleep only if it has seen all of them.
    pokes       int          NOT NULL DEFAULT 0,
    -- How often its owner was lost.
    losses      int          NOT NULL DEFAULT 0,
    state       hapax.saga_state NOT NULL,
    -- Why it is compensated.
    cause       hapax.saga_cause,
    owner       uuid,
    -- Who waits for it, and the first of those. A child stays here until that one has ended.
    parent      uuid,
    root        uuid,
    scope       varchar(100) COLLATE "C" NOT NULL,
    producer    varchar(100) COLLATE "C" NOT NULL,
    key         varchar(200) COLLATE "C" NOT NULL,
    -- Why it failed or was cancelled.
    reason      varchar(1000),
    stuck_because varchar(1000),
    input_type  varchar(200) COLLATE "C" NOT NULL,
    input       bytea        NOT NULL,
    result_type varchar(200) COLLATE "C",
    result      bytea,
    -- The first steps of most sagas: written in its own page, without an index. The others are rows of saga_step.
    steps       hapax.saga_done[]
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

CREATE INDEX saga_due ON hapax.saga (definition, due_at);
CREATE INDEX saga_children ON hapax.saga (root) WHERE root IS NOT NULL;

-- The one table of states: what each of them needs, and which can follow which. SagaState says the same.
CREATE FUNCTION hapax.check_saga() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := CASE TG_OP WHEN 'UPDATE' THEN OLD.state END;
BEGIN
    -- The hot ones first. `before IS NULL`: it is inserted.
    IF NEW.state = 'RUNNING' THEN
        IF NEW.owner IS NOT NULL AND NEW.cause IS NULL AND (before IS NULL OR before IN ('RUNNING', 'WAITING')) THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.state = 'WAITING' THEN
        IF NEW.owner IS NULL AND NEW.cause IS NULL AND (before IS NULL OR before IN ('WAITING', 'RUNNING', 'STUCK')) THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.state = 'COMPENSATING' THEN
        IF NEW.cause IS NOT NULL AND (before IS NULL OR before NOT IN ('COMPENSATED', 'CANCELLED')) THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.state = 'STUCK' THEN
        IF NEW.owner IS NULL AND NEW.stuck_because IS NOT NULL AND (before IS NULL OR before IN ('STUCK', 'RUNNING', 'COMPENSATING')) THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.state = 'COMPLETED' THEN
        IF NEW.owner IS NULL AND NEW.cause IS NULL AND NEW.root IS NOT NULL AND (before IS NULL OR before IN ('COMPLETED', 'RUNNING')) THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.owner IS NULL AND NEW.cause IS NOT NULL AND NEW.root IS NOT NULL AND (before IS NULL OR before IN (NEW.state, 'COMPENSATING')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'hapax: saga_state refuses %: this owner, cause or root does not fit, or it can''t follow', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'saga_state', TABLE = 'saga', SCHEMA = 'hapax';
END $$;
CREATE TRIGGER saga_state BEFORE INSERT OR UPDATE OF state, owner, cause, root, stuck_because ON hapax.saga
    FOR EACH ROW EXECUTE FUNCTION hapax.check_saga();

-- What was done and does not lie in its saga's row, in the commit that did it; `number` is the order. A compensation is the same row with `undo`. It lies in the day on which its saga was started.
-- OPEN: a sleep, a wait, a child or a claim that was begun. TRYING: it failed and is tried again. SKIPPED: a person has decided that it is not undone.
CREATE TABLE hapax.saga_step (
    began_at timestamptz  NOT NULL DEFAULT now(),
    ended_at timestamptz,
    due_at   timestamptz,
    token    bigint       NOT NULL,
    saga     uuid         NOT NULL,
    day      date         NOT NULL,
    number   int          NOT NULL,
    nth      int          NOT NULL,
    attempts int          NOT NULL,
    undo     boolean      NOT NULL,
    undoable boolean      NOT NULL,
    kind     hapax.saga_step_kind  NOT NULL,
    state    hapax.saga_step_state NOT NULL,
    name     varchar(200) COLLATE "C" NOT NULL,
    type     varchar(200) COLLATE "C",
    body     bytea,
    reason   varchar(1000),
    PRIMARY KEY (saga, name, nth, undo, day)
) PARTITION BY RANGE (day);

CREATE TABLE hapax.saga_ended (
    started_at  timestamptz  NOT NULL,
    ended_at    timestamptz  NOT NULL DEFAULT clock_timestamp(),
    key_time    timestamptz,
    id          uuid         NOT NULL,
    parent      uuid,
    day         date         NOT NULL,
    definition  int          NOT NULL,
    losses      int          NOT NULL,
    state       hapax.saga_state NOT NULL,
    cause       hapax.saga_cause,
    scope       varchar(100) COLLATE "C" NOT NULL,
    producer    varchar(100) COLLATE "C" NOT NULL,
    key         varchar(200) COLLATE "C" NOT NULL,
    reason      varchar(1000),
    result_type varchar(200) COLLATE "C",
    result      bytea,
    steps       hapax.saga_done[],
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);

-- All steps, wherever they lie.
CREATE VIEW hapax.saga_history AS
    SELECT s.day, s.saga, d.name, d.nth, false AS undo, d.number, CAST('STEP' AS hapax.saga_step_kind) AS kind, CAST('DONE' AS hapax.saga_step_state) AS state, d.undoable, 1 AS attempts,
           CAST(NULL AS timestamptz) AS due_at, d.type, d.body, CAST(NULL AS varchar(1000)) AS reason, d.began_at, d.ended_at, d.token, true AS in_saga
    FROM (SELECT day, id AS saga, steps FROM hapax.saga UNION ALL SELECT day, id, steps FROM hapax.saga_ended) s
    CROSS JOIN LATERAL unnest(s.steps) AS d
    UNION ALL
    SELECT day, saga, name, nth, undo, number, kind, state, undoable, attempts, due_at, type, body, reason, began_at, ended_at, token, false
    FROM hapax.saga_step;

INSERT INTO hapax.tree (name, keep_days) VALUES ('saga_step', 30), ('saga_ended', 30);

-- What a saga is told from outside, once per id. Gone with its saga.
CREATE TABLE hapax.saga_signal (
    number  bigint       GENERATED ALWAYS AS IDENTITY,
    sent_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
    saga    uuid         NOT NULL,
    id      uuid         NOT NULL,
    -- Which of its waits has received it.
    taken   boolean      NOT NULL DEFAULT false,
    name    varchar(100) COLLATE "C" NOT NULL,
    type    varchar(200) COLLATE "C" NOT NULL,
    body    bytea        NOT NULL,
    PRIMARY KEY (saga, id)
);

-- However a saga goes. Those that nothing has come for pay nothing: the condition is told by the row that is deleted.
CREATE FUNCTION hapax.forget_signals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM hapax.saga_signal WHERE saga = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER saga_gone AFTER DELETE ON hapax.saga
    FOR EACH ROW WHEN (OLD.pokes > 0) EXECUTE FUNCTION hapax.forget_signals();

-- What a person has done to a saga, and why. Kept.
CREATE TABLE hapax.saga_action (
    id     bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz  NOT NULL DEFAULT clock_timestamp(),
    saga   uuid         NOT NULL,
    action text         NOT NULL CHECK (action IN ('RETRY', 'SKIP', 'FORCE', 'CANCEL')),
    step   text,
    reason text         NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    acted_by text       NOT NULL CHECK (char_length(acted_by) BETWEEN 1 AND 200),
    role   text         NOT NULL DEFAULT session_user
);
CREATE INDEX saga_action_saga ON hapax.saga_action (saga);

-- Drops one day of what sagas did, if it is behind its retention and every saga that was started on it has ended.
CREATE FUNCTION hapax.drop_saga_day(tree_name text, expired date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
BEGIN
    -- None can come back: a saga is started on the day that it is.
    IF EXISTS (SELECT FROM hapax.saga WHERE day = expired) THEN
        RETURN false;
    END IF;
    RETURN hapax.drop_partition(tree_name, expired);
END $$;

-- Fails on purpose: an owner's write that is followed by its commit has changed nothing, for the saga has another owner or another state.
CREATE FUNCTION hapax.saga_of_another() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'hapax: the saga has another owner or another state; nothing was written' USING ERRCODE = 'HX003';
END $$;

REVOKE ALL ON FUNCTION hapax.drop_saga_day(text, date), hapax.saga_of_another() FROM PUBLIC;

INSERT INTO hapax.schema_version (version) VALUES (6);
