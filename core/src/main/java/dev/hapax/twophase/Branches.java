package dev.hapax.twophase;

import java.sql.Connection;

/** The open branches of one operation. Valid only inside the effect, on its thread. */
public interface Branches {

    /**
     * The JDBC connection of a branch. Committing, rolling back, closing it or changing its auto-commit is refused with {@link IllegalStateException}.
     *
     * @throws IllegalArgumentException if the operation has no branch there, or the participant is no database
     */
    Connection connection(String participant);

    /**
     * What does the work of a branch that is no database: a JMS {@code XASession}, say.
     *
     * @throws IllegalArgumentException if the operation has no branch there, or its handle is of another type
     */
    <T> T handle(String participant, Class<T> type);
}
