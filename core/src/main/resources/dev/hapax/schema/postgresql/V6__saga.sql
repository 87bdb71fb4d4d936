-- Sagas: code with named steps that goes on where it was. A saga in flight is a row of hapax.saga; one that has ended is a row of hapax.saga_ended, and goes with its day.

-- A saga keeps the definition that it was started with.
CREATE TABLE hapax.saga_definition (
    id            int         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version       int         NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    name          text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    UNIQUE (name, version)
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
    state       varchar(12)  COLLATE "C" NOT NULL,
    -- Why it is compensated.
    cause       varchar(9)   COLLATE "C" CHECK (cause IN ('FAILED', 'TIMED_OUT', 'CANCELLED')),
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
    CONSTRAINT saga_state CHECK (
        state = 'RUNNING' AND owner IS NOT NULL AND cause IS NULL
        OR state = 'WAITING' AND owner IS NULL AND cause IS NULL
        OR state = 'COMPENSATING' AND cause IS NOT NULL
        OR state = 'STUCK' AND owner IS NULL AND stuck_because IS NOT NULL
        OR state = 'COMPLETED' AND owner IS NULL AND cause IS NULL AND root IS NOT NULL
        OR state IN ('COMPENSATED', 'CANCELLED') AND owner IS NULL AND cause IS NOT NULL AND root IS NOT NULL)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

CREATE INDEX saga_due ON hapax.saga (definition, due_at);
CREATE INDEX saga_children ON hapax.saga (root) WHERE root IS NOT NULL;

-- What was done, in the commit that did it; `number` is the order. A compensation is the same row with `undo`. It lies in the day on which its saga was started.
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
    kind     varchar(6)   COLLATE "C" NOT NULL CHECK (kind IN ('STEP', 'SLEEP', 'WAIT', 'CHILD', 'CLAIM')),
    state    varchar(7)   COLLATE "C" NOT NULL CHECK (state IN ('OPEN', 'TRYING', 'DONE', 'FAILED', 'SKIPPED')),
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
    state       varchar(12)  COLLATE "C" NOT NULL CHECK (state IN ('COMPLETED', 'COMPENSATED', 'CANCELLED')),
    cause       varchar(9)   COLLATE "C",
    scope       varchar(100) COLLATE "C" NOT NULL,
    producer    varchar(100) COLLATE "C" NOT NULL,
    key         varchar(200) COLLATE "C" NOT NULL,
    reason      varchar(1000),
    result_type varchar(200) COLLATE "C",
    result      bytea,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);

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

REVOKE ALL ON FUNCTION hapax.drop_saga_day(text, date) FROM PUBLIC;

INSERT INTO hapax.schema_version (version) VALUES (6);
