-- The bank's own tables, in the bank's own database. No constraint refuses or hides a second booking for the same invoice: whether there is one is what the demo counts.
CREATE TABLE booking (
    reference bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text        NOT NULL CHECK (kind IN ('charge', 'refund')),
    key       text        NOT NULL,
    invoice   text        NOT NULL,
    account   text        NOT NULL,
    amount    numeric     NOT NULL CHECK (amount > 0),
    booked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX booking_key ON booking (key);

-- Only a bank that honours keys writes here.
CREATE TABLE known_key (
    key text PRIMARY KEY
);
