-- What an operator has stopped, and the history of the database. Every process looks here several times a second.

CREATE TABLE hapax.paused (
    kind      text        NOT NULL CHECK (kind IN ('SCOPE', 'CONSUMER')),
    -- '*': all of the kind. No scope and no consumer can have that name.
    name      text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    reason    text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    paused_by text        NOT NULL CHECK (char_length(paused_by) BETWEEN 1 AND 200),
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, name)
);

-- The history, as beats: while anything is committed, some process adds one twice a second. Who has seen a beat and does not find it again knows that the database has gone
-- back in time (a restore, a failover that lost commits), also when its numbers have grown past that again: the nonce of a beat is never drawn twice.
-- The last 10,000 are kept, and of the older ones each 10,000th, for ever (about 17 a day of constant work).
CREATE TABLE hapax.beat (
    number  bigint      PRIMARY KEY CHECK (number >= 0),
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Of the transaction that added it: as long as no other has come, nothing was committed that could be lost.
    xid     bigint      NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS text) AS bigint),
    nonce   uuid        NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO hapax.beat (number) VALUES (0);

-- How often the database was found to have gone back. Readers stand still while one is not accepted.
CREATE TABLE hapax.rewind (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    found_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    found_by       text        NOT NULL CHECK (char_length(found_by) BETWEEN 1 AND 200),
    -- The newest beat that the finder had seen, and that is not there any more.
    missing_number bigint      NOT NULL,
    missing_at     timestamptz NOT NULL,
    -- The newest beat before it that is still there; none if it is another database.
    last_number    bigint,
    last_at        timestamptz,
    accepted_at    timestamptz,
    accepted_by    text        CHECK (char_length(accepted_by) BETWEEN 1 AND 200),
    reason         text        CHECK (char_length(reason) BETWEEN 1 AND 1000),
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL) AND (accepted_at IS NULL) = (reason IS NULL))
);
-- At most one waits for an operator.
CREATE UNIQUE INDEX rewind_open ON hapax.rewind ((accepted_at IS NULL)) WHERE accepted_at IS NULL;

INSERT INTO hapax.schema_version (version) VALUES (3);
