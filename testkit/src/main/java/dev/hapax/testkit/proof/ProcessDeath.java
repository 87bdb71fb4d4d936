package dev.hapax.testkit.proof;

/**
 * Ends a simulated process: it unwinds everything, and nothing of the process reaches the database any more. An Error, so that no handler takes it for a failure of its own.
 */
public final class ProcessDeath extends Error {

    private static final long serialVersionUID = 1L;

    ProcessDeath(String where) {
        super("the process died " + where, null, false, false);
    }
}
