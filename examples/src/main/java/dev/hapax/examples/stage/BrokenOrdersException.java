package dev.hapax.examples.stage;

/** A file of orders that can't be read as one; the message says where and why. */
public final class BrokenOrdersException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;

    BrokenOrdersException(int line, String problem) {
        super("line " + line + ": " + problem);
        this.line = line;
    }

    /** {@return the line in the file, from 1, as an editor counts} */
    public int line() {
        return line;
    }
}
