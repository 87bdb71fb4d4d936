-- Two-phase commit: what decides prepared branches in other resources.

-- Who this home is, in the names of its branches: not the server, since a home that moves to another one takes its decisions with it.
CREATE TABLE hapax.home (
    id  uuid    NOT NULL DEFAULT gen_random_uuid(),
    one boolean PRIMARY KEY DEFAULT true CHECK (one)
);
INSERT INTO hapax.home DEFAULT VALUES;

-- The decision on all branches of one try of an operation. Written beside the marker before any branch is prepared, so whoever asks for it waits for that transaction: committed here means committed there.
-- A fence (`committed` is false) is written by whoever finds no decision; from then on there can be none. Rows are inserted and dropped with their whole day, never updated, never deleted.
CREATE TABLE hapax.two_phase (
    decided_at timestamptz NOT NULL DEFAULT now(),
    token      uuid        NOT NULL,
    scope      int         NOT NULL,
    producer   int         NOT NULL,
    day        date        NOT NULL,
    committed  boolean     NOT NULL,
    -- A fence has none: a branch's name has no room for it.
    key        varchar(200) COLLATE "C",
    PRIMARY KEY (token, day)
) PARTITION BY RANGE (day);
INSERT INTO hapax.tree (name, keep_days) VALUES ('two_phase', 7);

-- Branches that recovery could not end when it found them. What ends by itself is gone from here; what a person has closed stays.
CREATE TABLE hapax.two_phase_branch (
    token         uuid        NOT NULL,
    participant   varchar(64) COLLATE "C" NOT NULL,
    day           date        NOT NULL,
    scope         int         NOT NULL,
    producer      int         NOT NULL,
    state         text        NOT NULL,
    outcome       text        CHECK (outcome IN ('COMMITTED', 'ROLLED_BACK', 'MIXED', 'HAZARD')),
    attempts      int         NOT NULL DEFAULT 1 CHECK (attempts > 0),
    error         text        NOT NULL CHECK (char_length(error) BETWEEN 1 AND 1000),
    found_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at     timestamptz,
    closed_by     text        CHECK (char_length(closed_by) BETWEEN 1 AND 200),
    closed_reason text        CHECK (char_length(closed_reason) BETWEEN 1 AND 1000),
    PRIMARY KEY (token, participant),
    CONSTRAINT two_phase_branch_state CHECK (state IN ('COMMITTING', 'ROLLING_BACK', 'UNKNOWN', 'HEURISTIC', 'CLOSED')),
    CONSTRAINT two_phase_branch_heuristic CHECK (state = 'CLOSED' OR (state = 'HEURISTIC') = (outcome IS NOT NULL)),
    CONSTRAINT two_phase_branch_closed CHECK (
        CASE WHEN state = 'CLOSED' THEN num_nulls(closed_at, closed_by, closed_reason) = 0 ELSE num_nonnulls(closed_at, closed_by, closed_reason) = 0 END)
);

INSERT INTO hapax.schema_version (version) VALUES (7);
