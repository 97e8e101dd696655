-- Bars that were loaded, signals with their votes, events, jobs.
-- signal, vote and event are split by the year of as_of. A unique key of a partitioned table must hold the partition
-- key, so as_of is part of each; signal_id alone already implies it. The DEFAULT partitions stay empty: rows in them
-- mean that a year's partition was removed by hand, and would stop that year from being added again.

CREATE TABLE bar_set (
    data_hash   text PRIMARY KEY,
    source      text NOT NULL,
    frame       text NOT NULL,
    adjust      text NOT NULL,
    symbols     integer NOT NULL CHECK (symbols >= 0),
    rows        bigint NOT NULL CHECK (rows >= 0),
    first_ts    timestamptz,
    last_ts     timestamptz,
    quarantined jsonb NOT NULL,
    loaded_at   timestamptz NOT NULL
);

CREATE TABLE signal (
    signal_id   text NOT NULL,
    revision    integer NOT NULL CHECK (revision > 0),
    as_of       timestamptz NOT NULL,
    input_hash  text NOT NULL,
    symbol      text NOT NULL,
    frame       text NOT NULL,
    universe    text NOT NULL,
    action      text NOT NULL,
    score       double precision NOT NULL,
    probability double precision,
    strength    double precision NOT NULL,
    agreement   double precision NOT NULL,
    horizon     integer NOT NULL,
    complete    boolean NOT NULL,  -- no agent was missing
    occurred_at timestamptz NOT NULL,
    body        jsonb NOT NULL,
    PRIMARY KEY (signal_id, revision, as_of),
    UNIQUE (signal_id, input_hash, as_of)
) PARTITION BY RANGE (as_of);
CREATE TABLE signal_default PARTITION OF signal DEFAULT;
CREATE INDEX signal_by_symbol ON signal (frame, symbol, as_of DESC);
CREATE INDEX signal_by_universe ON signal (frame, universe, symbol, as_of DESC);

-- The revision that counts of each signal: the newest complete one; while none is complete, the newest.
CREATE VIEW current_signal AS
    SELECT s.* FROM signal AS s WHERE NOT EXISTS (
        SELECT FROM signal AS n
        WHERE n.signal_id = s.signal_id AND n.as_of = s.as_of AND (n.complete, n.revision) > (s.complete, s.revision)
    );

CREATE TABLE vote (
    signal_id  text NOT NULL,
    revision   integer NOT NULL,
    as_of      timestamptz NOT NULL,
    agent      text NOT NULL,
    score      double precision,  -- null: the agent abstained
    confidence double precision,
    weight     double precision NOT NULL,
    PRIMARY KEY (signal_id, revision, as_of, agent)
) PARTITION BY RANGE (as_of);
CREATE TABLE vote_default PARTITION OF vote DEFAULT;

CREATE TABLE event (
    event_id       uuid NOT NULL,
    as_of          timestamptz NOT NULL,
    position       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- order of insertion, with gaps; a smaller one may commit later
    occurred_at    timestamptz NOT NULL,
    type           text NOT NULL,
    routing_key    text NOT NULL,
    correlation_id text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (event_id, as_of)
) PARTITION BY RANGE (as_of);
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE INDEX event_by_position ON event (position);
CREATE INDEX event_by_time ON event (occurred_at, position);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
-- A statement trigger fires for the table that the statement names, so every partition gets its own.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_default
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Make the partitions of a year unless they are there. Attaching, unlike CREATE … PARTITION OF, does not lock the
-- parent against readers. Two callers at once: the second waits for the first, then finds them.
CREATE FUNCTION add_partitions(year integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    child  text;
    first  timestamptz := make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC');
    beyond timestamptz := make_timestamptz(year + 1, 1, 1, 0, 0, 0, 'UTC');
BEGIN
    IF to_regclass(format('event_%s', year)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('goldensignals.partitions', 0));
    FOREACH parent IN ARRAY ARRAY['signal', 'vote', 'event'] LOOP
        child := format('%s_%s', parent, year);
        CONTINUE WHEN to_regclass(child) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, first, beyond);
        IF parent = 'event' THEN
            EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                           'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', child);
        END IF;
    END LOOP;
END $$;

CREATE TABLE job (
    job_id       text PRIMARY KEY,
    kind         text NOT NULL,
    spec         jsonb NOT NULL,
    owner        text NOT NULL,
    priority     integer NOT NULL,
    state        text NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'cancelled', 'failed', 'done')),
    done         bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    total        bigint NOT NULL CHECK (total >= 0),
    epoch        integer NOT NULL,
    lease_holder text,
    lease_s      double precision NOT NULL CHECK (lease_s > 0),
    lease_until  timestamptz,
    error        text,
    result       jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX job_by_state ON job (state, priority DESC, created_at);
