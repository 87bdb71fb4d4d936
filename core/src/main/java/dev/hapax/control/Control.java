package dev.hapax.control;

import java.time.Instant;
import java.util.List;

/** Stops and resumes scopes and consumers, in all processes within a second. Safe for use by many threads. */
public interface Control {

    /** The name under which all consumers are paused while the database's history waits for an operator; see {@link History}. Nothing else has it. */
    String ALL = "*";

    /** What can be paused. */
    enum Kind {
        /** Its operations are refused with {@link dev.hapax.PausedException}. */
        SCOPE,
        /** It takes no new messages; a batch in flight ends. */
        CONSUMER
    }

    /**
     * Something that is paused.
     *
     * @param by who paused it
     */
    record Paused(Kind kind, String name, String reason, String by, Instant since) {}

    /**
     * Pauses it, until it is resumed. Pausing what is paused changes nothing.
     *
     * @param reason for whoever finds it paused, 1 to 1000 characters
     * @param by who says so, 1 to 200 characters
     * @return false if it was paused already
     */
    boolean pause(Kind kind, String name, String reason, String by);

    /**
     * Resumes it; false if it wasn't paused.
     *
     * @throws IllegalArgumentException for {@link #ALL}: only {@link History#accept} lets all go on
     */
    boolean resume(Kind kind, String name);

    /** All that is paused, oldest first. */
    List<Paused> list();
}
