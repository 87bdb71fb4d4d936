-- Markers and outcomes: what `once` stands on.
-- Every row of a marker table says: this key has been applied. Markers are inserted and dropped with their whole day, never updated, never deleted.
-- Lengths of hot tables are bounded by type, not by CHECK: a CHECK is parsed and prepared again by every INSERT, which costs more than the row.

CREATE SCHEMA IF NOT EXISTS hapax;
COMMENT ON SCHEMA hapax IS 'Hapax: effects that happen exactly once';

CREATE TABLE hapax.schema_version (
    version    int         PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Scopes and producers are named once and referred to by a number, which keeps a marker near 100 bytes. The number is made of the name (of its SHA-256), not counted: a process that remembers it from
-- before a restore must not mean another name with it.
CREATE TABLE hapax.producer (
    id   int  PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 100)
);

CREATE TABLE hapax.scope (
    id              int  PRIMARY KEY,
    name            text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 100),
    owner           text CHECK (char_length(owner) BETWEEN 1 AND 200),
    runbook         text CHECK (char_length(runbook) BETWEEN 1 AND 1000),
    marker_days     int  NOT NULL CHECK (marker_days IN (1, 7, 30, 90, 400)),
    window_seconds  bigint NOT NULL CHECK (window_seconds BETWEEN 60 AND marker_days * 86400::bigint),
    outcome_days    int  NOT NULL CHECK (outcome_days IN (1, 7, 30, 90, 400)),
    outcome_seconds bigint NOT NULL CHECK (outcome_seconds BETWEEN 60 AND outcome_days * 86400::bigint),
    declared_at     timestamptz NOT NULL DEFAULT now(),
    CHECK (outcome_seconds <= window_seconds)
);

-- A tree is a table that is partitioned by UTC day. `dropped_before` only grows, and a day before it is never created again:
-- that is what makes it impossible to apply a key a second time after its day was dropped, whatever a client's clock says.
CREATE TABLE hapax.tree (
    name           text PRIMARY KEY,
    keep_days      int  NOT NULL CHECK (keep_days BETWEEN 1 AND 4000),
    dropped_before date NOT NULL DEFAULT '-infinity'
);

CREATE TABLE hapax.pruned (
    tree       text        NOT NULL,
    day        date        NOT NULL,
    rows_about bigint      NOT NULL,
    bytes      bigint      NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    dropped_by text        NOT NULL,
    PRIMARY KEY (tree, day)
);

DO $$
DECLARE
    days int;
BEGIN
    FOREACH days IN ARRAY ARRAY[1, 7, 30, 90, 400] LOOP
        EXECUTE format($f$
            CREATE TABLE hapax.marker_%1$s (
                applied_at  timestamptz NOT NULL DEFAULT now(),
                scope       int  NOT NULL,
                producer    int  NOT NULL,
                day         date NOT NULL,
                key         varchar(200) COLLATE "C" NOT NULL,
                fingerprint bytea,
                PRIMARY KEY (scope, producer, key, day)
            ) PARTITION BY RANGE (day)$f$, days);
        EXECUTE format($f$
            CREATE TABLE hapax.outcome_%1$s (
                kept_at  timestamptz NOT NULL DEFAULT now(),
                scope    int  NOT NULL,
                producer int  NOT NULL,
                day      date NOT NULL,
                key      varchar(200) COLLATE "C" NOT NULL,
                type     varchar(200) COLLATE "C" NOT NULL,
                body     bytea NOT NULL,
                PRIMARY KEY (scope, producer, key, day)
            ) PARTITION BY RANGE (day)$f$, days);
        INSERT INTO hapax.tree (name, keep_days) VALUES ('marker_' || days, days), ('outcome_' || days, days);
    END LOOP;
END $$;

-- Keys that carry no time: remembered until an operator says otherwise.
CREATE TABLE hapax.marker_timeless (
    applied_at  timestamptz NOT NULL DEFAULT now(),
    scope       int  NOT NULL,
    producer    int  NOT NULL,
    key         varchar(200) COLLATE "C" NOT NULL,
    fingerprint bytea,
    PRIMARY KEY (scope, producer, key)
);

-- For whoever looks: all markers under their names. Not used by the hot path.
CREATE VIEW hapax.marker AS
SELECT s.name AS scope, p.name AS producer, m.key, m.day, m.applied_at, m.fingerprint
FROM (
    SELECT scope, producer, key, day, applied_at, fingerprint FROM hapax.marker_1
    UNION ALL SELECT scope, producer, key, day, applied_at, fingerprint FROM hapax.marker_7
    UNION ALL SELECT scope, producer, key, day, applied_at, fingerprint FROM hapax.marker_30
    UNION ALL SELECT scope, producer, key, day, applied_at, fingerprint FROM hapax.marker_90
    UNION ALL SELECT scope, producer, key, day, applied_at, fingerprint FROM hapax.marker_400
    UNION ALL SELECT scope, producer, key, NULL, applied_at, fingerprint FROM hapax.marker_timeless
) m
JOIN hapax.scope s ON s.id = m.scope
JOIN hapax.producer p ON p.id = m.producer;

-- Creates the partition of one day, if it may exist. False: the day is behind the retention (or too far ahead) and stays away.
-- Runs with the rights of the schema's owner, so that the service's own role needs no DDL rights.
-- CREATE + ATTACH instead of PARTITION OF: it takes no lock on the tree that a writer would wait for.
CREATE FUNCTION hapax.ensure_partition(tree_name text, wanted date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t     hapax.tree;
    today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    leaf  text := tree_name || '_' || to_char(wanted, 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('hapax.tree.' || tree_name, 0));
    SELECT * INTO t FROM hapax.tree WHERE name = tree_name FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'hapax: there is no tree named %', tree_name USING ERRCODE = 'undefined_object';
    END IF;
    IF to_regclass('hapax.' || quote_ident(leaf)) IS NOT NULL THEN
        RETURN true;
    END IF;
    IF wanted < t.dropped_before OR wanted < today - t.keep_days - 1 OR wanted > today + 30 THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE hapax.%I (LIKE hapax.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', leaf, tree_name);
    EXECUTE format('ALTER TABLE hapax.%I ADD CONSTRAINT %I CHECK (day >= %L AND day < %L)', leaf, leaf || '_day', wanted, wanted + 1);
    EXECUTE format('ALTER TABLE hapax.%I ATTACH PARTITION hapax.%I FOR VALUES FROM (%L) TO (%L)', tree_name, leaf, wanted, wanted + 1);
    -- The partition bound says the same; a second check would cost on every insert.
    EXECUTE format('ALTER TABLE hapax.%I DROP CONSTRAINT %I', leaf, leaf || '_day');
    RETURN true;
END $$;

-- Drops one day that is behind its tree's retention, and writes down that it did. A day is dropped one day later than its last key's
-- window ends, so that a clock that is wrong by hours changes nothing. Gives up after 100 ms rather than make writers queue behind it.
CREATE FUNCTION hapax.drop_partition(tree_name text, expired date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    t     hapax.tree;
    today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    leaf  text := tree_name || '_' || to_char(expired, 'YYYYMMDD');
    about bigint;
    size  bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('hapax.tree.' || tree_name, 0));
    SELECT * INTO t FROM hapax.tree WHERE name = tree_name FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'hapax: there is no tree named %', tree_name USING ERRCODE = 'undefined_object';
    END IF;
    IF expired >= today - t.keep_days - 1 THEN
        RAISE EXCEPTION 'hapax: % of % is still inside its retention of % days', expired, tree_name, t.keep_days
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    UPDATE hapax.tree SET dropped_before = greatest(dropped_before, expired + 1) WHERE name = tree_name;
    IF to_regclass('hapax.' || quote_ident(leaf)) IS NULL THEN
        RETURN false;
    END IF;
    SELECT greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid) INTO about, size
    FROM pg_class c WHERE c.oid = ('hapax.' || quote_ident(leaf))::regclass;
    EXECUTE format('DROP TABLE hapax.%I', leaf);
    INSERT INTO hapax.pruned (tree, day, rows_about, bytes, dropped_by)
    VALUES (tree_name, expired, about, size, session_user)
    ON CONFLICT DO NOTHING;
    RETURN true;
END $$;

-- Marks one key without waiting for anybody: 1 = new, 0 = seen, -1 = another transaction is applying it right now.
-- The lock time-out ends inside, in a subtransaction, so the caller's transaction stays usable.
CREATE FUNCTION hapax.mark_at_once(leaf regclass, in_scope int, in_producer int, in_day date, in_key text, in_fingerprint bytea)
RETURNS int LANGUAGE plpgsql SET lock_timeout = '1ms' AS $$
DECLARE
    marked int;
BEGIN
    IF in_day IS NULL THEN
        INSERT INTO hapax.marker_timeless (scope, producer, key, fingerprint)
        VALUES (in_scope, in_producer, in_key, in_fingerprint) ON CONFLICT DO NOTHING;
    ELSE
        EXECUTE format('INSERT INTO %s (scope, producer, day, key, fingerprint) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING', leaf)
        USING in_scope, in_producer, in_day, in_key, in_fingerprint;
    END IF;
    GET DIAGNOSTICS marked = ROW_COUNT;
    RETURN marked;
EXCEPTION WHEN lock_not_available THEN
    RETURN -1;
END $$;

-- The guard of `once(key).statement(...)`: each row that the statement changes returns its marker as this domain, which has no null. A
-- statement that changes rows although its key had been applied is stopped by it; the name is what the error says.
CREATE DOMAIN hapax.statement_must_read_from_once AS int NOT NULL;

-- Fails on purpose: a joined transaction whose effect has failed must not be committed with its marker.
CREATE FUNCTION hapax.doom() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'hapax: an effect of this transaction has failed; the transaction can only be rolled back' USING ERRCODE = 'HX002';
END $$;

REVOKE ALL ON FUNCTION hapax.ensure_partition(text, date), hapax.drop_partition(text, date),
    hapax.mark_at_once(regclass, int, int, date, text, bytea), hapax.doom() FROM PUBLIC;

INSERT INTO hapax.schema_version (version) VALUES (1);
