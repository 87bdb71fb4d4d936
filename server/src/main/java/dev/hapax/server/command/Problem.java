package dev.hapax.server.command;

/** What the operator is told instead of the answer; the command ends with status 1. */
final class Problem extends RuntimeException {

    private static final long serialVersionUID = 1L;

    Problem(String message) {
        super(message);
    }
}
