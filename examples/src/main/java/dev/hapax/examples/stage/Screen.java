package dev.hapax.examples.stage;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What a person sees. On a terminal one line is written over again and again; elsewhere it is a plain line, less often. Thread-safe.
 */
public final class Screen {
    private static final String ERASE = "\r\u001b[K";
    /** A line that is longer than the terminal is wide must not become two: the second could not be written over. */
    private static final String CUT = "\u001b[?7l";

    private static final String WRAP = "\u001b[?7h";

    private final ReentrantLock lock = new ReentrantLock();
    private final PrintWriter out;
    private final boolean terminal;
    private boolean statusShown;

    /**
     * Writes to a stream.
     *
     * @param out where to
     * @param terminal whether a line can be written over there
     */
    public Screen(PrintWriter out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** {@return how often a status is worth showing} */
    Duration statusPause() {
        return terminal ? Duration.ofMillis(200) : Duration.ofSeconds(2);
    }

    /** Shows how things stand; on a terminal in place of what it showed before. */
    void status(String text) {
        lock.lock();
        try {
            if (terminal) {
                out.print(ERASE + CUT + text + WRAP);
                statusShown = true;
            } else {
                out.println(text);
            }
            out.flush();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes a line that stays.
     *
     * @param text without a line end
     */
    public void line(String text) {
        lock.lock();
        try {
            if (statusShown) {
                out.print(ERASE);
                statusShown = false;
            }
            out.println(text);
            out.flush();
        } finally {
            lock.unlock();
        }
    }
}
