-- Claims: operations whose effect lies in a system that isn't ours. A row is a claim in flight; once it is settled or refused it is gone from here, and a marker says so, with its answer.

-- A claim's answer lies in its marker if both are kept for as long, else in its own row beside it. The type of a refusal says that the other side has refused, for good; it is there in both cases. Without a value they
-- cost no room: eight columns are what the null bitmap of a marker has room for.
ALTER TABLE hapax.marker_1 ADD COLUMN answer_type varchar(200) COLLATE "C", ADD COLUMN answer bytea;
ALTER TABLE hapax.marker_7 ADD COLUMN answer_type varchar(200) COLLATE "C", ADD COLUMN answer bytea;
ALTER TABLE hapax.marker_30 ADD COLUMN answer_type varchar(200) COLLATE "C", ADD COLUMN answer bytea;
ALTER TABLE hapax.marker_90 ADD COLUMN answer_type varchar(200) COLLATE "C", ADD COLUMN answer bytea;
ALTER TABLE hapax.marker_400 ADD COLUMN answer_type varchar(200) COLLATE "C", ADD COLUMN answer bytea;
ALTER TABLE hapax.marker_timeless ADD COLUMN answer_type varchar(200) COLLATE "C", ADD COLUMN answer bytea;

-- The token grows with each owner, whatever the claim, so a claim that was given up and made anew is not taken for the old one.
CREATE SEQUENCE hapax.claim_token AS bigint CACHE 1;

-- Small and hot: a claim in flight. `owner` works on it until `due_at`, which it puts off while it lives; without an owner it waits for `due_at`. Every write of an owner carries its token.
-- SETTLED and REFUSED are no rows here but markers: nothing comes back from there.
CREATE TABLE hapax.claim (
    token        bigint       NOT NULL DEFAULT nextval('hapax.claim_token'),
    key_time     timestamptz,
    claimed_at   timestamptz  NOT NULL DEFAULT clock_timestamp(),
    due_at       timestamptz  NOT NULL,
    -- When the last call began. What was called may still take effect for a while after that.
    called_at    timestamptz,
    -- There while it is in doubt: since when.
    doubt_since  timestamptz,
    scope        int          NOT NULL,
    producer     int          NOT NULL,
    -- Calls that were begun. It is written before the call.
    attempts     int          NOT NULL,
    -- How often it was put off: the back-off.
    waits        int          NOT NULL DEFAULT 0,
    key          varchar(200) COLLATE "C" NOT NULL,
    owner        varchar(160) COLLATE "C",
    fingerprint  bytea,
    request_type varchar(200) COLLATE "C",
    request      bytea,
    -- What is known to be its end and is not settled yet: by a person, or because settling has failed.
    answer_type  varchar(200) COLLATE "C",
    answer       bytea,
    refusal      varchar(1000),
    last_error   varchar(1000),
    PRIMARY KEY (scope, producer, key)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

-- Those that a worker can take up by itself, because what was asked for is stored.
CREATE INDEX claim_due ON hapax.claim (scope, due_at) WHERE request_type IS NOT NULL;

-- What a person has decided of a claim, and why. Kept.
CREATE TABLE hapax.claim_decision (
    id         bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decided_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
    scope      varchar(100) COLLATE "C" NOT NULL,
    producer   varchar(100) COLLATE "C" NOT NULL,
    key        varchar(200) COLLATE "C" NOT NULL,
    decision   text         NOT NULL CHECK (decision IN ('SETTLE', 'REFUSE')),
    answer_type varchar(200) COLLATE "C",
    -- SHA-256, which tells another answer from the same one said twice.
    answer_hash bytea,
    reason     text         NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    decided_by text         NOT NULL CHECK (char_length(decided_by) BETWEEN 1 AND 200),
    role       text         NOT NULL DEFAULT session_user
);
CREATE INDEX claim_decision_key ON hapax.claim_decision (scope, key);

-- Calls that were made while this database could not be reached, as folded in from a journal on a node's disk: to be reconciled with the other side.
CREATE TABLE hapax.claim_outage (
    entry     uuid         PRIMARY KEY,
    called_at timestamptz  NOT NULL,
    folded_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
    scope     varchar(100) COLLATE "C" NOT NULL,
    producer  varchar(100) COLLATE "C" NOT NULL,
    key       varchar(200) COLLATE "C" NOT NULL,
    node      text         NOT NULL,
    -- What the call had led to when it was folded in, and what had become of the key meanwhile.
    ending    text         NOT NULL CHECK (ending IN ('SETTLED', 'REFUSED', 'UNKNOWN')),
    folded    text         NOT NULL CHECK (folded IN ('SETTLED', 'REFUSED', 'IN_DOUBT', 'SEEN', 'CONFLICTING', 'TOO_LATE'))
);

INSERT INTO hapax.schema_version (version) VALUES (5);
