package dev.hapax.internal.consume;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How far a relay has come in one lane, as it is kept outside the database: with the ids of messages that lay there, so that another history of the log is recognised.
 *
 * @param low up to here all is done
 * @param done what is done above it, as an {@code int8multirange} is written
 * @param anchor the message with the highest number that was seen; null if none was
 * @param trail messages that were anchors before, newest first; they are fewer the older they are
 */
public record LaneMark(
        int lane, long low, String done, @Nullable Point anchor, List<Point> trail) {

    /**
     * A message at its place.
     *
     * @param at when it entered the log
     */
    public record Point(long number, UUID id, Instant at) {}

    public LaneMark {
        trail = List.copyOf(trail);
    }

    Position position() {
        return Position.of(low, done);
    }

    /** The highest number that was seen. */
    public long high() {
        return position().high();
    }
}
