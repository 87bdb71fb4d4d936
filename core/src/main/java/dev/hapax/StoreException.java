package dev.hapax;

import org.jspecify.annotations.Nullable;

/**
 * The database refused for a reason that trying again does not cure: a constraint at commit, a missing right, a full disk. Nothing was committed.
 * The cause holds the SQLState.
 */
public final class StoreException extends HapaxException {

    private static final long serialVersionUID = 1L;

    public StoreException(String message, @Nullable Throwable cause) {
        super("store", message, cause);
    }
}
