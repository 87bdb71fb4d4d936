package dev.hapax.internal.log;

import dev.hapax.Key;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A message on its way into the log. The operation's key names its producer: the log is read by others. */
public record Publication(
        UUID id,
        Key operation,
        String topic,
        String messageKey,
        String type,
        byte[] body,
        @Nullable String trace,
        @Nullable Instant due) {}
