package dev.hapax.testkit.proof;

import dev.hapax.consume.ConsumerBuilder;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A small program over a real database: a service, the operations that its clients send, and where their effects can be counted. It is described once, and run thousands of times; so
 * whatever it keeps must be built by its {@link Opener} or be put back by {@link #beforeEach}.
 *
 * <p>A run is: the service is opened; each operation is sent until it is answered; consumers work until nothing is left to do. If the process dies or can't go on, another
 * one is opened, and operations without an answer are sent again. Then the rows are counted. At the end another process gets all operations once more, and the rows are counted again.
 *
 * <p>Not safe for use by many threads while it is described; afterwards its parts are called by several threads, each with a database of its own.
 *
 * @param <S> the service under test, such as {@code Hapax} or a class of yours that holds one; closed at the end of a process if it is {@link AutoCloseable}
 */
public final class Scenario<S> {

    private static final int OPERATIONS_MAX = 100;

    final String name;
    final Opener<S> opener;
    final List<String> ddl = new ArrayList<>();
    final List<Before> before = new ArrayList<>();
    final List<Function<S, ConsumerBuilder>> consumers = new ArrayList<>();
    final List<Count> counts = new ArrayList<>();
    final List<String> orders = new ArrayList<>();
    final List<Invariant> invariants = new ArrayList<>();
    final List<String> unfinished = new ArrayList<>();
    final List<String> expiries = new ArrayList<>();
    final List<Look> outsideExpiries = new ArrayList<>();
    final List<String> passings = new ArrayList<>();
    final Map<Class<?>, Supplier<?>> outside = new LinkedHashMap<>();

    @Nullable
    Background<S> background;

    Sending<S> sending = (service, operation) -> {
        throw new IllegalStateException("the scenario sends no operations; call .operations(…)");
    };
    ToLongFunction<Operation> expected = operation -> 1;
    Duration age = Duration.ZERO;
    int operations = 1;
    Pattern alsoWrites = Pattern.compile("(?!)");
    String mutatedBy = "";
    Mutation mutation = Mutation.NONE;
    boolean acknowledgesFirst;

    private Scenario(String name, Opener<S> opener) {
        this.name = name;
        this.opener = opener;
    }

    /**
     * Begins a scenario.
     *
     * @param name what it is called in reports and when it is rerun: letters, digits and {@code -}
     * @param opener builds the service of one process; it should do no work in the background ({@code housekeeping(false)}), since only what the driving thread does is numbered
     * @throws IllegalArgumentException if the name has other characters
     */
    public static <S> Scenario<S> of(String name, Opener<S> opener) {
        if (!name.matches("[A-Za-z0-9_-]{1,100}")) {
            throw new IllegalArgumentException("a scenario's name has letters, digits, _ and - only: " + name);
        }
        return new Scenario<>(name, opener);
    }

    /** Builds a process's service. */
    @FunctionalInterface
    public interface Opener<S> {
        /** Builds it, with the process's data source. */
        S open(Node node) throws Exception;
    }

    /** Sends an operation to a service. */
    @FunctionalInterface
    public interface Sending<S> {
        /** Sends it; to return is to acknowledge it. What it throws is taken for no answer, and the operation is sent again. */
        void send(S service, Operation operation) throws Exception;
    }

    /** What a process does now and then. */
    @FunctionalInterface
    public interface Background<S> {
        /** Does it once. */
        void step(S service) throws Exception;
    }

    /** Puts the scene back. */
    @FunctionalInterface
    public interface Before {
        /** Does so, on a connection in auto-commit mode that is no part of the scenario. */
        void each(Connection connection) throws Exception;
    }

    /** Counts effects where they are. */
    @FunctionalInterface
    public interface Counting {
        /** {@return how often each operation took effect, by its id; who is not named took none} */
        Map<String, Long> count(Connection connection) throws SQLException;
    }

    /** A check of your own. */
    @FunctionalInterface
    public interface Check {
        /** {@return what is wrong; empty if nothing is} */
        List<String> findings(Connection connection) throws SQLException;
    }

    /** Counts effects in the database, or outside it. */
    @FunctionalInterface
    interface Tally {
        Map<String, Long> count(Connection connection, World world) throws SQLException;
    }

    /** Looks at the database, or outside it. */
    @FunctionalInterface
    interface Look {
        List<String> findings(Connection connection, World world) throws SQLException;
    }

    record Count(
            String target,
            Tally tally,
            @Nullable String consumer,
            @Nullable String topic) {}

    record Invariant(String name, Look look) {}

    /**
     * Creates what the scenario needs in a database of its own, beside Hapax's tables. All rows are deleted before each run.
     *
     * @param statements executed once per database
     */
    public Scenario<S> tables(String... statements) {
        ddl.addAll(List.of(statements));
        return this;
    }

    /**
     * A system outside the database: a fake of a bank, a folder, a topic of a broker. It is made anew for each run, is no part of any process, and is closed after the run if it is
     * {@link AutoCloseable}. A process gets it by {@link Node#outside} and reaches it through {@link Node#around}, which makes points of its calls.
     *
     * @param type names it
     * @param maker makes one
     */
    public <W> Scenario<S> outside(Class<W> type, Supplier<? extends W> maker) {
        outside.put(type, maker);
        return this;
    }

    /** Puts back, before each run, what lies outside the tables and is not made anew by {@link #outside}. */
    public Scenario<S> beforeEach(Before action) {
        before.add(action);
        return this;
    }

    /**
     * What clients send.
     *
     * @param count 1 to 100
     * @param how sends one
     */
    public Scenario<S> operations(int count, Sending<S> how) {
        if (count < 1 || count > OPERATIONS_MAX) {
            throw new IllegalArgumentException(
                    "operations: " + count + ", but 1 to " + OPERATIONS_MAX + " are allowed");
        }
        operations = count;
        sending = how;
        return this;
    }

    /** How long before its run the operations were made; default zero. */
    public Scenario<S> made(Duration ago) {
        age = ago;
        return this;
    }

    /** A consumer of the service's, described but not started: it is run step by step. */
    public Scenario<S> consumer(Function<S, ConsumerBuilder> builder) {
        consumers.add(builder);
        return this;
    }

    /** What a process does in the background, as a step by hand: housekeeping, or a reader of a broker. It is called before the consumers, in each round, and in a second process too. */
    public Scenario<S> background(Background<S> step) {
        background = step;
        return this;
    }

    /**
     * Where effects are counted.
     *
     * @param target its name in reports
     * @param sql two columns: an operation's id, and how often it took effect
     */
    public Scenario<S> counts(String target, String sql) {
        return counts(target, Rows.counting(sql));
    }

    /** Where effects are counted in another way. */
    public Scenario<S> counts(String target, Counting counting) {
        counts.add(new Count(target, (connection, world) -> counting.count(connection), null, null));
        return this;
    }

    /**
     * Where effects are counted outside the database.
     *
     * @param target its name in reports
     * @param type as it was given to {@link #outside}
     * @param counting how often each operation took effect there, by its id
     */
    public <W> Scenario<S> counts(String target, Class<W> type, Function<? super W, Map<String, Long>> counting) {
        counts.add(new Count(target, (connection, world) -> counting.apply(world.get(type)), null, null));
        return this;
    }

    /**
     * Where the effects of a consumer are counted. Its position must never be ahead of them.
     *
     * @param consumer its name
     * @param topic whose messages have these effects; their operation's id must be that of the scenario's operation
     * @param sql two columns: an operation's id, and how often it took effect
     */
    public Scenario<S> counts(String consumer, String topic, String sql) {
        Counting counting = Rows.counting(sql);
        counts.add(new Count(consumer, (connection, world) -> counting.count(connection), consumer, topic));
        return this;
    }

    /** How often an operation must have taken effect in the end; default once. Never may it have taken effect more often. */
    public Scenario<S> expecting(ToLongFunction<Operation> times) {
        expected = times;
        return this;
    }

    /**
     * In which order effects took place: for each message key it must be the order of the log.
     *
     * @param sql two columns, in the order of the effects: the message key, and the operation's id
     */
    public Scenario<S> inOrder(String sql) {
        orders.add(sql);
        return this;
    }

    /** A check of your own, after each recovery. */
    public Scenario<S> invariant(String invariant, Check check) {
        invariants.add(new Invariant(invariant, (connection, world) -> check.findings(connection)));
        return this;
    }

    /**
     * A check of your own outside the database, after each recovery.
     *
     * @param type as it was given to {@link #outside}
     * @param check what is wrong; empty if nothing is
     */
    public <W> Scenario<S> invariant(String invariant, Class<W> type, Function<? super W, List<String>> check) {
        invariants.add(new Invariant(invariant, (connection, world) -> check.apply(world.get(type))));
        return this;
    }

    /**
     * What recovery must bring to an end besides messages: processes go on, with their {@link #background}, until nothing of it is left.
     *
     * @param sql one row with one number: how much is left to be done
     */
    public Scenario<S> unfinished(String sql) {
        unfinished.add(sql);
        return this;
    }

    /**
     * Leases of your own: how they run out when a process has died, or when the variation says so. It must leave rows alone that are locked ({@code FOR UPDATE SKIP LOCKED}).
     *
     * @param sql an update
     */
    public Scenario<S> leasesRunOutBy(String sql) {
        expiries.add(sql);
        return this;
    }

    /**
     * As {@link #leasesRunOutBy(String)}, outside the database: a broker forgets which processes it has heard of, say.
     *
     * @param type as it was given to {@link #outside}
     * @param expiry what makes them run out
     */
    public <W> Scenario<S> leasesRunOutBy(Class<W> type, Consumer<? super W> expiry) {
        outsideExpiries.add((connection, world) -> {
            expiry.accept(world.get(type));
            return List.of();
        });
        return this;
    }

    /**
     * What waits for its time in tables of your own, such as a back-off: how its time comes, between two rounds. It must leave rows alone that are locked ({@code FOR UPDATE SKIP LOCKED}).
     *
     * @param sql an update
     */
    public Scenario<S> timePassesBy(String sql) {
        passings.add(sql);
        return this;
    }

    /**
     * Statements that write though they don't look like it: a call of a function of yours in a SELECT, say.
     *
     * @param regex found in the statement, with white space reduced to single spaces
     */
    public Scenario<S> alsoWrites(String regex) {
        alsoWrites = Pattern.compile(regex);
        return this;
    }

    /**
     * Makes it wrong on purpose: a mutant, to see which invariant catches it.
     *
     * @param what what is wrong, in reports
     */
    public Scenario<S> mutated(String what, Mutation how) {
        mutatedBy = what;
        mutation = how;
        return this;
    }

    /** Makes its client wrong on purpose: an operation counts as acknowledged before it is sent. */
    public Scenario<S> acknowledgedFirst() {
        mutatedBy = "acknowledge before commit";
        acknowledgesFirst = true;
        return this;
    }

    /** {@return whether it has something outside the database that lies in this JVM, so that a process of its own could not reach it} */
    public boolean isBoundToThisProcess() {
        return !outside.isEmpty();
    }

    /** {@return its name} */
    public String name() {
        return name;
    }

    @Override
    public String toString() {
        return mutatedBy.isEmpty() ? name : name + " with " + mutatedBy;
    }
}
