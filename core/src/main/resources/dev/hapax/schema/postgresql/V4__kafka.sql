-- How far a consumer has come in a partition of a topic of Kafka: one row for each, written in the transaction of the effects.
-- `next_offset`: all below it is done. `done`: what is done from there on. The epoch grows with each owner, and with each change by an operator; every later write carries
-- it, and a stale one changes nothing.
CREATE TABLE hapax.kafka_position (
    next_offset bigint         NOT NULL CHECK (next_offset >= 0),
    epoch       bigint         NOT NULL DEFAULT 0,
    -- The end of the partition, as last seen by a reader; not exact.
    end_offset  bigint         NOT NULL DEFAULT 0,
    created_at  timestamptz    NOT NULL DEFAULT clock_timestamp(),
    moved_at    timestamptz    NOT NULL DEFAULT clock_timestamp(),
    -- Held messages name it, with 16 places for its keys.
    id          int            GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id BETWEEN 1 AND 134217727),
    partition   int            NOT NULL CHECK (partition >= 0),
    -- Takeovers since the position last moved: many of them mean that a message kills its reader.
    deaths      smallint       NOT NULL DEFAULT 0,
    -- Whether repeats are told by their key as well, so that offsets may be read again.
    deduplicates boolean       NOT NULL DEFAULT false,
    -- A topic that was deleted and made anew has another one. Null: that which is there when it is next read.
    topic_id    uuid,
    consumer    text COLLATE "C" NOT NULL CHECK (char_length(consumer) BETWEEN 1 AND 100),
    topic       text COLLATE "C" NOT NULL CHECK (char_length(topic) BETWEEN 1 AND 249),
    group_id    text           NOT NULL,
    owner       text,
    -- Why it is not read until an operator says where to go on; null if it is.
    stopped     text           CHECK (char_length(stopped) BETWEEN 1 AND 1000),
    done        int8multirange NOT NULL DEFAULT '{}',
    UNIQUE (consumer, topic, partition)
) WITH (fillfactor = 50);

INSERT INTO hapax.schema_version (version) VALUES (4);
