-- The global order of events. A transaction that stores events leaves them in the outbox; the relay, alone, takes them out
-- and gives each the next number in a transaction of its own. So numbers have no gaps, and none appears late.

CREATE TABLE outbox (
    position bigint PRIMARY KEY,  -- of the event: order of insertion, with gaps; a smaller one may be committed later
    event_id uuid NOT NULL,
    as_of    timestamptz NOT NULL
);

CREATE TABLE stream (
    seq          bigint PRIMARY KEY CHECK (seq > 0),
    position     bigint NOT NULL UNIQUE,
    event_id     uuid NOT NULL,
    as_of        timestamptz NOT NULL,
    routing_key  text NOT NULL,  -- again, so that a pattern is searched without reading the events
    sequenced_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stream
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE lease (
    name   text PRIMARY KEY,
    epoch  bigint NOT NULL,  -- counts holders; what an older one sends is refused
    holder text NOT NULL,
    until  timestamptz NOT NULL
);
INSERT INTO lease (name, epoch, holder, until) VALUES ('relay', 0, 'nobody', '-infinity');

-- Fires once per statement that names the parent, which every insert does.
CREATE FUNCTION hand_to_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (position, event_id, as_of) SELECT position, event_id, as_of FROM added;
    IF FOUND THEN
        PERFORM pg_notify('events', '');  -- sent at commit
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER hand_to_relay AFTER INSERT ON event REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION hand_to_relay();  -- from here to the commit nobody else can insert
INSERT INTO outbox (position, event_id, as_of) SELECT position, event_id, as_of FROM event;

ALTER TABLE job ADD COLUMN started_at timestamptz;  -- of the present epoch
CREATE INDEX job_by_creation ON job (created_at DESC, job_id DESC);
