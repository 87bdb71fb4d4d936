-- What the naive shop uses instead of a log: an outbox whose rows are deleted when they are taken.
CREATE TABLE shop.outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    invoice  text    NOT NULL,
    line     int     NOT NULL,
    lines    int     NOT NULL,
    customer text    NOT NULL,
    amount   numeric NOT NULL
);
