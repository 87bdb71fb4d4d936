package dev.hapax;

import dev.hapax.claim.Claim;
import dev.hapax.claim.ClaimKindBuilder;
import dev.hapax.claim.Claims;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Consumers;
import dev.hapax.consume.Quarantine;
import dev.hapax.consume.Relays;
import dev.hapax.control.Control;
import dev.hapax.control.History;
import dev.hapax.event.EventStream;
import dev.hapax.event.ProjectionBuilder;
import dev.hapax.internal.Home;
import dev.hapax.once.Adoption;
import dev.hapax.once.Once;
import dev.hapax.once.OnceAll;
import dev.hapax.once.OnceValue;
import dev.hapax.saga.SagaBuilder;
import dev.hapax.saga.Sagas;
import dev.hapax.twophase.Participants;
import dev.hapax.twophase.TwoPhase;
import java.util.List;
import java.util.function.Function;
import javax.sql.DataSource;

/**
 * The front door: makes the effects of a service happen exactly once. Open one per service and database, and close it at the end.
 *
 * <p>Guaranteed: marker, effect, messages and position commit together or not at all; a repeat inside the window never runs the effect; a repeat after
 * the window is refused. Not promised: exactly-once <em>delivery</em>, and effects that a handler makes elsewhere behind Hapax's back.
 *
 * <p>Safe for use by many threads.
 */
public final class Hapax implements AutoCloseable {

    private final Home home;

    Hapax(Home home) {
        this.home = home;
    }

    /** Begins the settings of a service whose effects are in this database. The data source should be a pool; Hapax does not close it. */
    public static HapaxBuilder on(DataSource dataSource) {
        return new HapaxBuilder(dataSource);
    }

    /** The service's name. */
    public String name() {
        return home.name();
    }

    /** An operation without an answer. */
    public Once once(Key key) {
        return home.once().once(key);
    }

    /** An operation whose answer is kept for its repeats. */
    public <T> OnceValue<T> once(Key key, Class<T> answer) {
        return home.once().once(key, answer);
    }

    /**
     * Many operations in one transaction.
     *
     * @param items 1 to 10,000
     * @param key names each of them
     */
    public <T> OnceAll<T> onceAll(List<T> items, Function<? super T, Key> key) {
        return home.once().onceAll(items, key);
    }

    /**
     * An operation in a system that isn't ours, whose answer is a text, such as the number under which that system keeps it.
     */
    public Claim<String> claim(Key key) {
        return home.claims().claim(key, String.class);
    }

    /** An operation in a system that isn't ours, with its answer. */
    public <T> Claim<T> claim(Key key, Class<T> answer) {
        return home.claims().claim(key, answer);
    }

    /**
     * Describes a kind of operations in a system that isn't ours, which go on without their caller.
     *
     * @param scope of their keys: 1 to 100 letters, digits, {@code . _ -} or {@code /}
     * @param request what is asked for; stored by the service's codec
     * @param answer what the other system answers
     */
    public <R, T> ClaimKindBuilder<R, T> claims(String scope, Class<R> request, Class<T> answer) {
        return home.claims().kind(scope, request, answer);
    }

    /** Operations in systems that aren't ours, as they are stored: for operators. */
    public Claims claims() {
        return home.claims().stored();
    }

    /** An operation with effects in the home database and in others, which commit together or not at all. */
    public TwoPhase twoPhase(Key key) {
        return home.twoPhase().twoPhase(key);
    }

    /** The other resources of two-phase commits, and branches that wait there: for operators. */
    public Participants participants() {
        return home.twoPhase();
    }

    /**
     * Marks operations whose effects are in the database without their markers.
     *
     * @param scope of their keys
     */
    public Adoption adopt(String scope) {
        return home.once().adopt(scope);
    }

    /**
     * A consumer of the log.
     *
     * @param name what its position is kept under, for ever: 1 to 100 letters, digits, {@code . _ -} or {@code /}
     */
    public ConsumerBuilder consumer(String name) {
        return home.consumer(name);
    }

    /** Messages that were set aside, or wait. */
    public Quarantine quarantine() {
        return home.quarantine();
    }

    /** Consumers by what is stored of them, also those that nobody runs any more. */
    public Consumers consumers() {
        return home.consumers();
    }

    /**
     * Describes a saga: code with named steps, each of which is done once, and goes on where it was.
     *
     * @param name what its sagas are kept under, for ever: 1 to 100 letters, digits, {@code . _ -} or {@code /}
     * @param input what a saga is started with; stored by the service's codec
     */
    public <I> SagaBuilder<I> saga(String name, Class<I> input) {
        return home.saga(name, input);
    }

    /** Starts sagas, waits for them, signals them. */
    public Sagas sagas() {
        return home.sagas();
    }

    /**
     * The events of one thing, such as {@code account/4711}.
     *
     * @param stream 1 to 200 characters
     */
    public EventStream events(String stream) {
        return home.events().stream(stream);
    }

    /**
     * Describes rows that are made from events.
     *
     * @param name what its position is kept under: 1 to 100 letters, digits, {@code . _ -} or {@code /}
     */
    public ProjectionBuilder projection(String name) {
        return home.events().projection(name);
    }

    /** Relays of the log to a broker, by what is stored of them. */
    public Relays relays() {
        return home.relays();
    }

    /** Pause and resume. */
    public Control control() {
        return home.control();
    }

    /** Whether the database has gone back in time, and the word that lets readers go on. */
    public History history() {
        return home.history();
    }

    /**
     * Does now what is otherwise done in the background: creates the partitions of the coming days, drops those behind their retention, moves delayed messages that are due.
     *
     * @return how many things it did
     * @throws RetryException if the database can't be reached
     */
    public int housekeep() {
        return home.housekeep();
    }

    /** Stops the consumers and sagas that are still running, within 10 seconds each, and the background work. Sagas that did not come to a rest go on in another process. */
    @Override
    public void close() {
        home.close();
    }
}
