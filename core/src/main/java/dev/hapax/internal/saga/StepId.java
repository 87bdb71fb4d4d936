package dev.hapax.internal.saga;

/**
 * What a step is known by.
 *
 * @param name with the branch that it lies in: {@code pack>box}
 * @param nth which of its name it is, in its branch, from 1
 * @param undo whether it is the compensation
 */
record StepId(String name, int nth, boolean undo) {

    StepId undoing() {
        return new StepId(name, nth, true);
    }

    /** {@code box}, {@code box#2}: for people, and for child keys. */
    String shown() {
        return nth == 1 ? name : name + "#" + nth;
    }

    @Override
    public String toString() {
        return undo ? "undo of " + shown() : shown();
    }
}
