-- The shop's and billing's own tables. No constraint here refuses or hides a line that arrives twice: whether it does is what the demo counts.

CREATE SCHEMA shop;

CREATE TABLE shop.order_line (
    invoice    text    NOT NULL,
    line       int     NOT NULL,
    stock_code text    NOT NULL,
    quantity   bigint  NOT NULL,
    unit_price numeric NOT NULL,
    customer   text    NOT NULL
);

-- Starts at nothing and goes down by what is sold, so that at the end it is the exact opposite of what was ordered.
CREATE TABLE shop.stock (
    stock_code text   PRIMARY KEY,
    quantity   bigint NOT NULL
);

CREATE SCHEMA billing;

CREATE TABLE billing.balance (
    customer text    PRIMARY KEY,
    amount   numeric NOT NULL
);

CREATE TABLE billing.ledger (
    invoice text    NOT NULL,
    line    int     NOT NULL,
    amount  numeric NOT NULL
);

-- An invoice, as far as its lines are billed. With the last of them it is paid.
CREATE TABLE billing.invoice (
    invoice  text    PRIMARY KEY,
    customer text    NOT NULL,
    lines    int     NOT NULL,
    amount   numeric NOT NULL
);

-- What the bank has booked, as its answers say; negative if money went back.
CREATE TABLE billing.payment (
    invoice   text    NOT NULL,
    amount    numeric NOT NULL,
    reference text    NOT NULL
);

CREATE TABLE billing.credit (
    invoice text    NOT NULL,
    amount  numeric NOT NULL
);
