package dev.hapax.testkit.proof;

/** How a scenario's operations come in, and who else is there. Immutable. */
public enum Variation {
    /** Each operation once. */
    ALONE,

    /** Each operation twice in a row: a client that did not wait for its answer. */
    REPEATED,

    /** Twice as many operations, of other keys, between them. */
    OTHER_KEYS,

    /** When the fault happens, all leases have run out. */
    LEASES_EXPIRED,

    /** When the fault happens, all leases have run out and a second process has taken over what it could. */
    TAKEN_OVER
}
