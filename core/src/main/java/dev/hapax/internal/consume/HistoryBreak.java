package dev.hapax.internal.consume;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The log is not the one that a reader knew: at its position lies another message, or none although none can have been removed. A failover has lost commits, or a backup was restored.
 *
 * @param after the last number at which both histories are known to have the same message; 0 if none is known
 * @param until the reader's position: the numbers between are in doubt
 * @param expected the id of the message that the reader saw there
 * @param found the id of the message that lies there now; null if none does
 */
public record HistoryBreak(
        int lane,
        long after,
        long until,
        UUID expected,
        @Nullable UUID found) {}
