-- How far a consumer has come in a partition of a topic of Kafka: one row for each, written in the transaction of the effects.
-- `next_offset`: all below it is done. `done`: what is done from there on. The epoch grows with each owner, and with each change by an operator; every later write carries
-- it, and a stale one changes nothing. No CHECK: it would be parsed and prepared again with every batch.
CREATE TABLE hapax.kafka_position (
    next_offset bigint         NOT NULL,
    epoch       bigint         NOT NULL DEFAULT 0,
    -- The end of the partition, as last seen by a reader; not exact.
    end_offset  bigint         NOT NULL DEFAULT 0,
    created_at  timestamptz    NOT NULL DEFAULT clock_timestamp(),
    moved_at    timestamptz    NOT NULL DEFAULT clock_timestamp(),
    -- Held messages name it, with 16 places for its keys.
    id          int            GENERATED ALWAYS AS IDENTITY (MAXVALUE 134217727) PRIMARY KEY,
    partition   int            NOT NULL,
    -- Takeovers since the position last moved: many of them mean that a message kills its reader.
    deaths      smallint       NOT NULL DEFAULT 0,
    -- Whether repeats are told by their key as well, so that offsets may be read again.
    deduplicates boolean       NOT NULL DEFAULT false,
    -- A topic that was deleted and made anew has another one. Null: that which is there when it is next read.
    topic_id    uuid,
    consumer    varchar(100) COLLATE "C" NOT NULL,
    topic       varchar(249) COLLATE "C" NOT NULL,
    group_id    text           NOT NULL,
    owner       text,
    -- Why it is not read until an operator says where to go on; null if it is.
    stopped     varchar(1000),
    done        int8multirange NOT NULL DEFAULT '{}',
    UNIQUE (consumer, topic, partition)
) WITH (fillfactor = 50);

-- Readers of the log whose position lies outside the database.

-- The log by name: what is kept elsewhere about it says whose it is. A copy of the database is another log as soon as both are written.
CREATE TABLE hapax.log_identity (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id  uuid    NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO hapax.log_identity DEFAULT VALUES;

-- Where a relay keeps its position, so that it never goes on from another place by mistake.
CREATE TABLE hapax.relay (
    name       text COLLATE "C" PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 100),
    mode       text        NOT NULL CHECK (mode IN ('EXACTLY_ONCE', 'AT_LEAST_ONCE')),
    cluster    text        CHECK (char_length(cluster) <= 200),
    topic      text        CHECK (char_length(topic) <= 249),
    topic_id   text        CHECK (char_length(topic_id) <= 100),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A relay found another history of the log than the one that it had published: numbers after `after_number`, up to `until_number`, are in doubt.
-- It stands still in all lanes until a person decides.
CREATE TABLE hapax.relay_break (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    after_number bigint      NOT NULL CHECK (after_number >= 0),
    until_number bigint      NOT NULL CHECK (until_number >= after_number),
    -- Messages up to here are compared with what is on the topics, before they are published.
    compare_to   bigint,
    found_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_at   timestamptz,
    done_at      timestamptz,
    expected     uuid        NOT NULL,
    found        uuid,
    lane         smallint    NOT NULL CHECK (lane BETWEEN 0 AND 15),
    relay        text COLLATE "C" NOT NULL CHECK (char_length(relay) BETWEEN 1 AND 100),
    decision     text        CHECK (decision IN ('PUBLISH_MISSING', 'SKIP')),
    decided_by   text        CHECK (char_length(decided_by) BETWEEN 1 AND 200),
    why          text        CHECK (char_length(why) BETWEEN 1 AND 1000)
);
CREATE UNIQUE INDEX relay_break_open ON hapax.relay_break (relay, lane) WHERE done_at IS NULL;

INSERT INTO hapax.schema_version (version) VALUES (4);
