package dev.hapax.testkit.proof;

/**
 * One thing that goes wrong: where and how. Immutable.
 *
 * @param point the number of the point, from 1
 * @param mode what happens there
 */
public record Fault(int point, Mode mode) {

    /**
     * Reads what {@link #toString()} writes.
     *
     * @throws IllegalArgumentException if it is not of the form {@code 12:DIES}
     */
    public static Fault parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("a fault is written as POINT:MODE, such as 12:DIES, not as " + text);
        }
        return new Fault(Integer.parseInt(text.substring(0, colon)), Mode.valueOf(text.substring(colon + 1)));
    }

    @Override
    public String toString() {
        return point + ":" + mode;
    }
}
