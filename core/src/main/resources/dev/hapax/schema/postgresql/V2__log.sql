-- The log: messages that commit with the effect, read by position, dropped by the day. No row is ever updated or deleted.

CREATE TABLE hapax.log (
    number       bigint       NOT NULL,
    published_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
    key_time     timestamptz,
    day          date         NOT NULL,
    lane         smallint     NOT NULL,
    id           uuid         NOT NULL,
    topic        varchar(200) COLLATE "C" NOT NULL,
    message_key  varchar(200) COLLATE "C" NOT NULL,
    type         varchar(200) COLLATE "C" NOT NULL,
    scope        varchar(100) COLLATE "C" NOT NULL,
    producer     varchar(100) COLLATE "C" NOT NULL,
    key          varchar(200) COLLATE "C" NOT NULL,
    trace        varchar(55)  COLLATE "C",
    body         bytea        NOT NULL,
    PRIMARY KEY (lane, number, day)
) PARTITION BY RANGE (day);

-- A replay retention of 7 days; an operator may change it.
INSERT INTO hapax.tree (name, keep_days) VALUES ('log', 7);

-- Messages of one key share a lane; each lane counts for itself. CACHE 1: a cached range would be handed out late and reorder a key.
DO $$
BEGIN
    FOR lane IN 0..15 LOOP
        EXECUTE format('CREATE SEQUENCE hapax.lane_%s AS bigint CACHE 1', lane);
    END LOOP;
END $$;

-- Messages that are published now and due later. They enter the log when due, in the statement that removes them here.
CREATE TABLE hapax.delayed (
    id           uuid        PRIMARY KEY,
    due_at       timestamptz NOT NULL,
    key_time     timestamptz,
    lane         smallint    NOT NULL CHECK (lane BETWEEN 0 AND 15),
    topic        text COLLATE "C" NOT NULL CHECK (char_length(topic) BETWEEN 1 AND 200),
    message_key  text COLLATE "C" NOT NULL CHECK (char_length(message_key) BETWEEN 1 AND 200),
    type         text COLLATE "C" NOT NULL CHECK (char_length(type) BETWEEN 1 AND 200),
    scope        text COLLATE "C" NOT NULL,
    producer     text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    trace        text COLLATE "C" CHECK (char_length(trace) <= 55),
    body         bytea       NOT NULL CHECK (octet_length(body) <= 16777216)
);
CREATE INDEX delayed_due ON hapax.delayed (due_at);

-- How far a reader has come in a lane, and who may move it. `low`: all up to it is done. `done`: what is done above it.
-- The token grows with each owner; every later write carries it, and a stale one changes nothing. No CHECK: it would be parsed and prepared again with every batch.
CREATE TABLE hapax.position (
    low          bigint         NOT NULL DEFAULT 0,
    token        bigint         NOT NULL DEFAULT 0,
    leased_until timestamptz    NOT NULL DEFAULT '-infinity',
    moved_at     timestamptz    NOT NULL DEFAULT now(),
    lane         smallint       NOT NULL,
    -- Takeovers since the position last moved: many of them mean that a message kills its reader.
    deaths       smallint       NOT NULL DEFAULT 0,
    -- Whether repeats are told by their key as well, so that messages may be read again.
    deduplicates boolean        NOT NULL DEFAULT false,
    consumer     varchar(100) COLLATE "C" NOT NULL,
    owner        text,
    done         int8multirange NOT NULL DEFAULT '{}',
    PRIMARY KEY (consumer, lane)
) WITH (fillfactor = 50);

CREATE TABLE hapax.member (
    consumer   text COLLATE "C" NOT NULL,
    node       text COLLATE "C" NOT NULL,
    seen_until timestamptz NOT NULL,
    PRIMARY KEY (consumer, node)
);

-- Messages that left the log's order: those that failed and wait for their next try, those that were set aside, and those that wait behind them.
CREATE TABLE hapax.held (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number       bigint      NOT NULL,
    held_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at      timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    key_time     timestamptz,
    attempts     int         NOT NULL CHECK (attempts >= 0),
    -- A lane of the log, or the place that its partition and its key have among those of a broker.
    lane         int         NOT NULL CHECK (lane >= 0),
    partition    int,
    state        text        NOT NULL CHECK (state IN ('RETRY', 'WAITING', 'QUARANTINED')),
    consumer     text COLLATE "C" NOT NULL,
    message_id   uuid        NOT NULL,
    topic        text COLLATE "C" NOT NULL,
    message_key  text COLLATE "C" NOT NULL,
    type         text COLLATE "C" NOT NULL,
    scope        text COLLATE "C" NOT NULL,
    producer     text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    trace        text COLLATE "C",
    reason       text CHECK (char_length(reason) <= 4000),
    body         bytea       NOT NULL,
    -- All else of a broker's record: its key and headers.
    envelope     bytea,
    UNIQUE (consumer, lane, message_key, number)
);
CREATE INDEX held_due ON hapax.held (consumer, lane, next_at) WHERE state = 'RETRY';

-- Held messages that an operator has dropped: what, why and by which role. Their effect is missing, so they are kept.
CREATE TABLE hapax.discarded (
    id           bigint      PRIMARY KEY,
    number       bigint      NOT NULL,
    discarded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz NOT NULL,
    key_time     timestamptz,
    attempts     int         NOT NULL,
    lane         int         NOT NULL,
    partition    int,
    consumer     text COLLATE "C" NOT NULL,
    message_id   uuid        NOT NULL,
    topic        text COLLATE "C" NOT NULL,
    message_key  text COLLATE "C" NOT NULL,
    type         text COLLATE "C" NOT NULL,
    scope        text COLLATE "C" NOT NULL,
    producer     text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    trace        text COLLATE "C",
    discarded_by text        NOT NULL DEFAULT session_user,
    why          text        NOT NULL CHECK (char_length(why) BETWEEN 1 AND 1000),
    failure      text,
    body         bytea       NOT NULL,
    envelope     bytea
);

-- Where a reader starts that has no position yet, or is moved to: behind the last message of each lane that is from before the instant. What has a higher number and is not committed yet is a gap,
-- and is read when it is. What has a lower number was drawn before that message, so if it is from later, its transaction was open at the instant.
-- Volatile, so that what is looked for is looked for after it was seen that nobody is writing.
CREATE FUNCTION hapax.numbers_before(since timestamptz) RETURNS TABLE (lane smallint, low bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_drawn bigint;
BEGIN
    FOR l IN 0..15 LOOP
        lane := l;
        EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM hapax.lane_%s', l) INTO last_drawn;
        IF since = 'infinity' THEN
            low := last_drawn;
        ELSE
            SELECT max(g.number) INTO low FROM hapax.log g
            WHERE g.lane = l::smallint AND g.published_at < since AND g.day <= (since AT TIME ZONE 'UTC')::date + 1;
        END IF;
        IF low IS NULL THEN
            -- All that is there is from later. Whoever draws a number locks the sequence until he ends; while somebody does, his may be a smaller one than all that can be seen.
            -- So it may be where one snapshot serves all statements.
            IF current_setting('transaction_isolation') <> 'read committed' OR EXISTS (SELECT FROM pg_locks k WHERE k.locktype = 'relation' AND k.mode = 'RowExclusiveLock'
                    AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                    AND k.relation = format('hapax.lane_%s', l)::regclass) THEN
                low := 0;
            ELSE
                SELECT min(g.number) - 1 INTO low FROM hapax.log g WHERE g.lane = l::smallint;
                low := coalesce(low, last_drawn);
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Drops one day of the log, if it is behind the replay retention and every reader is past every message in it.
CREATE FUNCTION hapax.drop_log_day(expired date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    leaf        text := 'log_' || to_char(expired, 'YYYYMMDD');
    last_number bigint;
BEGIN
    IF to_regclass('hapax.' || quote_ident(leaf)) IS NULL THEN
        RETURN false;
    END IF;
    -- The lock first: what is checked below can't change until the day is gone.
    EXECUTE format('LOCK TABLE hapax.%I IN ACCESS EXCLUSIVE MODE', leaf);
    FOR l IN 0..15 LOOP
        EXECUTE format('SELECT max(number) FROM hapax.%I WHERE lane = $1', leaf) INTO last_number USING l::smallint;
        IF EXISTS (SELECT FROM hapax.position p WHERE p.lane = l AND p.low < last_number) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN hapax.drop_partition('log', expired);
END $$;

REVOKE ALL ON FUNCTION hapax.numbers_before(timestamptz), hapax.drop_log_day(date) FROM PUBLIC;

INSERT INTO hapax.schema_version (version) VALUES (2);
