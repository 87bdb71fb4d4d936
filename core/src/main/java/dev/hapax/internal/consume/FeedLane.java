package dev.hapax.internal.consume;

import dev.hapax.internal.consume.LaneMark.Point;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One lane, as a relay reads it. Used by one thread at a time. */
final class FeedLane {

    private static final int TRAIL = 8;
    private static final int SPACING_BITS = 2;

    /** What the reader looks at; its position runs ahead of what is published. */
    final Lane lane;

    /** Whether it has moved since the last mark. */
    boolean moved;

    private final @Nullable Point[] trail = new @Nullable Point[TRAIL];
    private @Nullable Point anchor;
    private long updates;

    FeedLane(Lane owned, LaneMark mark) {
        this.lane = new Lane(owned.number, owned.token, mark.position());
        this.anchor = mark.anchor();
        for (int i = 0; i < Math.min(TRAIL, mark.trail().size()); i++) {
            trail[i] = mark.trail().get(i);
        }
    }

    @Nullable
    Point anchor() {
        return anchor;
    }

    /** Notes that a message has been read. */
    void done(ReadMessage message) {
        if (message.number() > lane.position.high()) {
            anchor = new Point(message.number(), message.id(), message.publishedAt());
        }
        lane.position.done(message.number());
        moved = true;
    }

    /** Where the lane is now, to be kept. */
    LaneMark mark() {
        moved = false;
        LaneMark mark = peek();
        remember();
        return mark;
    }

    /** Where the lane is now. */
    LaneMark peek() {
        List<Point> points = new ArrayList<>(TRAIL);
        for (Point point : trail) {
            if (point != null) {
                points.add(point);
            }
        }
        return new LaneMark(lane.number, lane.position.low(), lane.position.done(), anchor, points);
    }

    /** Each place of the trail is overwritten a quarter as often as the one before it, so that few points reach far back; the first anchor is in all of them. */
    private void remember() {
        updates++;
        for (int i = TRAIL - 1; i >= 0; i--) {
            if (trail[i] == null || updates % (1L << (i * SPACING_BITS)) == 0) {
                trail[i] = anchor;
            }
        }
    }
}
