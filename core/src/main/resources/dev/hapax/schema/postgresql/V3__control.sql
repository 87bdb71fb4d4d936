-- What an operator has stopped. Every process looks here several times a second.

CREATE TABLE hapax.paused (
    kind      text        NOT NULL CHECK (kind IN ('SCOPE', 'CONSUMER')),
    name      text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    reason    text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    paused_by text        NOT NULL CHECK (char_length(paused_by) BETWEEN 1 AND 200),
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, name)
);

INSERT INTO hapax.schema_version (version) VALUES (3);
