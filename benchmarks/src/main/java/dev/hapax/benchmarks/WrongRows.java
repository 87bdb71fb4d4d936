package dev.hapax.benchmarks;

/** The database does not hold what the benchmark counted: the run is void. */
final class WrongRows extends RuntimeException {

    private static final long serialVersionUID = 1L;

    WrongRows(String message) {
        super(message);
    }

    static void unless(boolean right, String format, Object... arguments) {
        if (!right) {
            throw new WrongRows(String.format(format, arguments));
        }
    }

    static void unlessEqual(String what, long counted, long found) {
        unless(counted == found, "%s: %,d counted, %,d in the database", what, counted, found);
    }
}
