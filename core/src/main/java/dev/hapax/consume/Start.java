package dev.hapax.consume;

import java.time.Instant;

/** Where a consumer starts that has no position yet. One that has goes on from there. */
public sealed interface Start permits Start.Beginning, Start.Now, Start.At {

    /** The oldest message that is still there. */
    Start BEGINNING = new Beginning();

    /** The first message that is published from now on. Messages of transactions that are open now may lie on either side. */
    Start NOW = new Now();

    /**
     * The first message that entered the log at this instant or later, by the database's clock. Messages of transactions that were open at the instant may lie on either side; of those that began
     * later none is skipped, however long they stay open.
     */
    static Start at(Instant instant) {
        return new At(instant);
    }

    /** See {@link #BEGINNING}. */
    record Beginning() implements Start {}

    /** See {@link #NOW}. */
    record Now() implements Start {}

    /** See {@link #at}. */
    record At(Instant instant) implements Start {}
}
