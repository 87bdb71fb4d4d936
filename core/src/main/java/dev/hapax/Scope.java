package dev.hapax;

import dev.hapax.internal.Checks;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A declared kind of operation: who owns it, how long its keys are remembered, how long their answers are kept.
 *
 * <p>Immutable and safe for use by many threads. Declare scopes with {@link HapaxBuilder#scope(Scope)}; a scope that is used without
 * having been declared gets the service's defaults.
 */
public final class Scope {

    /** The shortest window. */
    public static final Duration WINDOW_MIN = Duration.ofMinutes(1);

    /** The longest window. */
    public static final Duration WINDOW_MAX = Duration.ofDays(400);

    private static final Duration WINDOW_DEFAULT = Duration.ofDays(30);
    private static final int TEXT_MAX = 200;

    private final String name;
    private final @Nullable String owner;
    private final @Nullable URI runbook;
    private final Duration window;
    private final @Nullable Duration outcomes;

    private Scope(
            String name, @Nullable String owner, @Nullable URI runbook, Duration window, @Nullable Duration outcomes) {
        this.name = name;
        this.owner = owner;
        this.runbook = runbook;
        this.window = window;
        this.outcomes = outcomes;
    }

    /**
     * A scope with a window of 30 days and no owner yet.
     *
     * @param name 1 to 100 letters, digits, {@code . _ -} or {@code /}, such as {@code payments.charge}
     * @throws IllegalArgumentException if the name is outside its limits
     */
    public static Scope of(String name) {
        return new Scope(Checks.name("scope", name), null, null, WINDOW_DEFAULT, null);
    }

    /** The team that answers for it, 1 to 200 characters. */
    public Scope ownedBy(String team) {
        return new Scope(name, Checks.text("the owner of scope " + name, team, TEXT_MAX), runbook, window, outcomes);
    }

    /** Where the person on call reads what to do. */
    public Scope runbook(URI link) {
        Checks.that(link.toString().length() <= 1000, "the runbook link of scope %s is over 1000 characters", name);
        return new Scope(name, owner, link, window, outcomes);
    }

    /**
     * The window: how long after its own time a key is remembered. A repeat inside it is never applied again; a key that comes later
     * is refused with {@link TooLateException}. It must be longer than every retry, redelivery and replay of the scope's callers.
     * Markers are dropped by the day, in classes of 1, 7, 30, 90 and 400 days: the smallest class that covers the window.
     *
     * @throws IllegalArgumentException if it is not between one minute and 400 days
     */
    public Scope remember(Duration time) {
        return new Scope(name, owner, runbook, Checks.duration("window", time, WINDOW_MIN, WINDOW_MAX), outcomes);
    }

    /**
     * How long a kept answer is kept, at most as long as the window (the default). A repeat that comes later still does nothing, and
     * is told that the answer is no longer kept. It can be declared anew at any time: answers that are kept are found all the same, a shorter time holds for
     * them at once, and a longer one holds for those that are kept from then on.
     *
     * @throws IllegalArgumentException if it is not between one minute and 400 days
     */
    public Scope keepOutcomes(Duration time) {
        return new Scope(name, owner, runbook, window, Checks.duration("outcomes", time, WINDOW_MIN, WINDOW_MAX));
    }

    /** These windows under another name, without owner and runbook: the defaults of a scope that nobody declares. */
    public Scope renamed(String other) {
        return new Scope(Checks.name("scope", other), null, null, window, outcomes);
    }

    public String name() {
        return name;
    }

    public Optional<String> owner() {
        return Optional.ofNullable(owner);
    }

    public Optional<URI> runbook() {
        return Optional.ofNullable(runbook);
    }

    /** How long a key is remembered after its own time. */
    public Duration window() {
        return window;
    }

    /** How long answers are kept: never longer than the window. */
    public Duration outcomes() {
        return outcomes == null || outcomes.compareTo(window) > 0 ? window : outcomes;
    }

    @Override
    public String toString() {
        return name;
    }
}
