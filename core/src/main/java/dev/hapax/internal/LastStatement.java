package dev.hapax.internal;

/**
 * A statement that may be the last of its transaction. COMMIT then goes in the same message, and costs no round trip of its own.
 *
 * <p>The server skips what follows a failed statement in a message (PostgreSQL's protocol: after an error it discards everything up to Sync, and a query of several statements ends). So it is for
 * statements that <em>fail</em> wherever the transaction must not be committed; one that merely changes no row would be followed by its commit. If the connection is lost, the caller knows as little as
 * after a COMMIT of its own.
 *
 * @param alone the statement
 * @param andCommit the same with COMMIT behind it
 */
public record LastStatement(String alone, String andCommit) {

    public static LastStatement of(String sql) {
        return new LastStatement(sql, sql + "; COMMIT");
    }

    public String text(boolean commits) {
        return commits ? andCommit : alone;
    }
}
