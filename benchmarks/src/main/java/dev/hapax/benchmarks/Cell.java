package dev.hapax.benchmarks;

import java.time.Duration;

/** One side of a comparison: a way to do the work, run in slices. */
abstract class Cell {

    final String name;

    Cell(String name) {
        this.name = name;
    }

    /** What a slice has done. */
    record Done(long operations, long nanos) {

        static final Done NOTHING = new Done(0, 0);

        Done plus(Done other) {
            return new Done(operations + other.operations, nanos + other.nanos);
        }

        double rate() {
            return operations * 1e9 / nanos;
        }
    }

    /** Works for about so long. */
    abstract Done run(Duration slice) throws Exception;

    /**
     * Compares the rows in the database with all that this side has done since it was made.
     *
     * @throws WrongRows if they differ
     */
    abstract void check(long operations) throws Exception;
}
