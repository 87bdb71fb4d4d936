-- Events: streams that are appended to at an expected version, and projections that are made from them.

-- How far a stream has come. Appending locks its row, so that the events of a stream draw their positions in the order of their versions.
CREATE TABLE hapax.event_stream (
    id      bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version bigint       NOT NULL,
    name    varchar(200) COLLATE "C" NOT NULL UNIQUE
) WITH (fillfactor = 80);

-- Insert-only, and kept for ever: events are the truth that everything else can be made from again.
CREATE TABLE hapax.event (
    -- Over all streams, with gaps. CACHE 1: a cached range would be handed out late and reorder a stream.
    position    bigint       GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    stream      bigint       NOT NULL,
    version     bigint       NOT NULL,
    recorded_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
    key_time    timestamptz,
    -- A child of the operation's key. Unique for ever, which a marker is not.
    id          uuid         NOT NULL UNIQUE,
    type        varchar(200) COLLATE "C" NOT NULL,
    scope       varchar(100) COLLATE "C" NOT NULL,
    producer    varchar(100) COLLATE "C" NOT NULL,
    key         varchar(200) COLLATE "C" NOT NULL,
    body        bytea        NOT NULL,
    UNIQUE (stream, version)
);

-- How far a projection has come, written in the transaction of its rows. `low`: all up to it is done. `done`: what is done above it.
CREATE TABLE hapax.projection (
    low      bigint         NOT NULL DEFAULT 0,
    moved_at timestamptz    NOT NULL DEFAULT clock_timestamp(),
    name     varchar(100)   COLLATE "C" PRIMARY KEY,
    done     int8multirange NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

INSERT INTO hapax.schema_version (version) VALUES (8);
