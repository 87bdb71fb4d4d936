package dev.hapax.testkit.fault;

import java.sql.SQLException;

/**
 * One outage that is ready to happen to one site. {@link #begin()}, then {@link #end()}, each once; used by one thread.
 */
public abstract class Injection implements AutoCloseable {

    Injection() {}

    /**
     * The fault is there when this returns.
     *
     * @throws IllegalStateException if it could not be brought about
     */
    public final void begin() {
        run("begin", this::start);
    }

    /**
     * The fault is gone when this returns: what remains to be done is the recovery of those who felt it.
     *
     * @throws IllegalStateException if it could not be ended
     */
    public final void end() {
        run("end", this::stop);
    }

    /** Lets go of what was prepared. */
    @Override
    public void close() {}

    abstract void start() throws SQLException;

    abstract void stop() throws SQLException;

    private void run(String what, Step step) {
        try {
            step.run();
        } catch (SQLException failure) {
            throw new IllegalStateException("the outage could not " + what, failure);
        }
    }

    /** What a fault consists of. */
    @FunctionalInterface
    interface Step {
        void run() throws SQLException;
    }

    static Injection of(Step start, Step stop) {
        return new Injection() {
            @Override
            void start() throws SQLException {
                start.run();
            }

            @Override
            void stop() throws SQLException {
                stop.run();
            }
        };
    }
}
