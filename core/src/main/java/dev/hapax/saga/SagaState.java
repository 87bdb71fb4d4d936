package dev.hapax.saga;

/**
 * Where a saga stands.
 *
 * <pre>{@code
 *              taken up        +-----------------------------> COMPLETED
 *   start -> WAITING <-----> RUNNING                               | its parent is compensated
 *              |   sleeps,     |  |                                v
 *              |   waits,      |  +--- fails, is cancelled --> COMPENSATING --+--> COMPENSATED
 *              |   tries again |                                ^  |          +--> CANCELLED
 *              +--- cancelled -|--------------------------------+  | can't be undone
 *                              +--- code was changed ---> STUCK <--+
 * }</pre>
 *
 * From STUCK a person lets it go on, or ends it.
 */
public enum SagaState {
    /** A process runs its code. */
    RUNNING,
    /** It sleeps, waits for a signal, a child or its next try, or has just been started: no process holds it. */
    WAITING,
    /** It has failed, has run out of time or is cancelled, and what was done is undone. */
    COMPENSATING,
    /** Its code has returned. The end. */
    COMPLETED,
    /** It has failed or has run out of time, and what was done has been undone. The end. */
    COMPENSATED,
    /** It can't go on without a person: a compensation can't succeed, or its code no longer fits what was done. */
    STUCK,
    /** It was cancelled, and what was done has been undone. The end. */
    CANCELLED;

    /** Whether nothing comes after it, but for a child whose parent is compensated. */
    public boolean isEnd() {
        return this == COMPLETED || this == COMPENSATED || this == CANCELLED;
    }

    /** All ways from one state to another; there is no other. Staying in RUNNING or COMPENSATING is a takeover by another process, or a compensation that waits. */
    public boolean canBecome(SagaState next) {
        return switch (this) {
            case RUNNING -> next != COMPENSATED && next != CANCELLED;
            case WAITING -> next == RUNNING || next == COMPENSATING;
            case COMPENSATING -> next == COMPENSATING || next == COMPENSATED || next == CANCELLED || next == STUCK;
            case STUCK -> next == WAITING || next == COMPENSATING;
            case COMPLETED -> next == COMPENSATING;
            case COMPENSATED, CANCELLED -> false;
        };
    }
}
