package dev.hapax.examples.demo;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a run of the demo does.
 *
 * @param orders what is ordered
 * @param load how the client behaves
 * @param workers how many shop processes, and how many billing processes; 1 to 8
 * @param kills how many processes are killed while they work; 0 to 1000
 * @param naive whether shop and billing do without Hapax
 * @param data where the database is kept; null for one that is deleted at the end
 */
record DemoPlan(
        OrderFile orders,
        Load load,
        int workers,
        int kills,
        boolean naive,
        @Nullable Path data) {

    /**
     * How the client behaves.
     *
     * @param repeats the share of lines that are sent once more than they need be; 0 to 1
     * @param rate the most lines a second; 0 for as fast as possible
     * @param seed decides which lines are repeated and how, the keys, and when which process is killed
     */
    record Load(double repeats, int rate, long seed) {}

    int lines() {
        return orders.lines().size();
    }
}
