package dev.hapax;

/**
 * The key was applied before <em>with another request</em>: two operations share one key, or one client changed its mind between two tries.
 * Nothing was applied now. Fix the caller: another operation needs another key.
 */
public final class KeyReusedException extends ConflictException {

    private static final long serialVersionUID = 1L;

    public KeyReusedException(Key key, String message) {
        super("key-reused", key, message);
    }
}
