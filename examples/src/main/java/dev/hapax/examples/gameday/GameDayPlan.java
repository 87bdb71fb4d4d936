package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Load;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a game day does.
 *
 * @param time how long fresh work comes in
 * @param load how the client behaves; its rate is more than 0
 * @param kinds the kinds of faults, at least one
 * @param workers how many shop processes, and how many billing processes
 * @param naive whether shop and billing do without Hapax
 * @param data where database and logs are kept; null for a database that is deleted at the end
 */
record GameDayPlan(
        Duration time,
        Load load,
        List<FaultKind> kinds,
        int workers,
        boolean naive,
        @Nullable Path data) {
    /** A fault that has begun is brought to its end, and fresh work goes on as long. */
    private static final Duration OVERTIME = Duration.ofSeconds(120);

    /** The most lines that there can be. */
    int lines() {
        return Math.toIntExact(lines(time, load.rate()));
    }

    static long lines(Duration time, int rate) {
        return (time.plus(OVERTIME).toMillis() * rate + 999) / 1_000;
    }
}
