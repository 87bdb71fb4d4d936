package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.Days;
import dev.hapax.internal.Reasons;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.once.Verdict;
import dev.hapax.saga.SagaBuilder;
import dev.hapax.saga.SagaState;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The sagas of one service in this process: what is registered, what runs. Safe for use by many threads. */
public final class SagaEngine implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SagaEngine.class);

    private final SagaGround ground;
    private final UUID node = SystemSource.INSTANCE.newUuidV7();
    private final Map<String, NavigableMap<Integer, Definition>> definitions = new ConcurrentHashMap<>();
    private final Map<Integer, Definition> byId = new ConcurrentHashMap<>();
    private final Set<SagaRun> running = ConcurrentHashMap.newKeySet();
    private final Set<UUID> starting = ConcurrentHashMap.newKeySet();
    private final Waiters waiters;
    private final SagaKeeper keeper;
    private final ExecutorService threads;
    private volatile boolean byHand;
    private volatile boolean closing;

    public SagaEngine(SagaGround ground) {
        this.ground = ground;
        this.waiters = new Waiters(ground.connections());
        this.keeper = new SagaKeeper(this, ground, waiters);
        this.threads = Executors.newThreadPerTaskExecutor(Thread.ofVirtual()
                .name("hapax-saga-" + ground.shared().service() + "-", 0)
                .factory());
    }

    public <I> SagaBuilder<I> saga(String name, Class<I> input) {
        return new SagaSettings<>(this, name, input);
    }

    /** Whoever needs the background work calls this. */
    private void keep() {
        if (!byHand && !closing) {
            keeper.start();
        }
    }

    /** From now on nothing is done in the background: rounds are called by hand. For the testkit alone, before the first definition is registered. */
    void takeByHand() {
        Checks.state(definitions.isEmpty(), "sagas are stepped by hand from before the first one is registered");
        byHand = true;
    }

    void register(String name, int version, Definition.Work work, Definition.Rules rules) {
        NavigableMap<Integer, Definition> versions =
                definitions.computeIfAbsent(name, n -> new ConcurrentSkipListMap<>());
        Checks.state(
                !versions.containsKey(version),
                "saga %s version %d is registered in this process already",
                name,
                version);
        int id = asked("saga " + name + " could not be registered", connection -> define(connection, name, version));
        ensureDay(today());
        Definition definition = new Definition(id, name, version, work, rules, new Room(rules.concurrency()));
        ground.telling().metrics().saga(name);
        versions.put(version, definition);
        byId.put(id, definition);
        keep();
    }

    private static int define(Connection connection, String name, int version) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.saga_definition (name, version) SELECT ?, ? WHERE NOT EXISTS"
                        + " (SELECT FROM hapax.saga_definition WHERE name = ? AND version = ?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, name);
            insert.setInt(2, version);
            insert.setString(3, name);
            insert.setInt(4, version);
            insert.executeUpdate();
        }
        try (PreparedStatement select =
                connection.prepareStatement("SELECT id FROM hapax.saga_definition WHERE name = ? AND version = ?")) {
            select.setString(1, name);
            select.setInt(2, version);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    Collection<Definition> registered() {
        return byId.values();
    }

    Set<String> names() {
        return definitions.keySet();
    }

    UUID node() {
        return node;
    }

    Set<SagaRun> running() {
        return running;
    }

    boolean isByHand() {
        return byHand;
    }

    private @Nullable Definition newest(String name) {
        NavigableMap<Integer, Definition> versions = definitions.get(name);
        Map.Entry<Integer, Definition> last = versions == null ? null : versions.lastEntry();
        return last == null ? null : last.getValue();
    }

    /** The key as it is stored, with its producer. */
    Key stored(Key key) {
        return key.producer().isPresent() ? key : key.producer(ground.shared().service());
    }

    UUID id(String name, Key key) {
        return UUID.fromString(SagaRun.sagaKey(stored(key), name).id());
    }

    private long today() {
        return ground.time().clock().epochDay();
    }

    private void ensureDay(long day) {
        try {
            boolean there = ground.time().partitions().ensure(SagaSql.STEP_TREE, day)
                    && ground.time().partitions().ensure(SagaSql.ENDED_TREE, day);
            Checks.state(
                    there, "the database refuses a day for sagas, %s: its clock and this one's differ", Days.iso(day));
        } catch (SQLException e) {
            throw SqlFaults.translate("a day for sagas could not be created", e);
        }
    }

    /** What its start has to ask for is found out before a connection is borrowed for it. */
    private void prepareStart(Key key) {
        try {
            ground.doing().once().settlements().prepare(key);
        } catch (SQLException e) {
            throw SqlFaults.translate("saga " + key + " could not be started", e);
        }
    }

    private SagaRow fresh(int definition, Key key, Object input, Owning owning) {
        long day = today();
        ensureDay(day);
        Key stored = stored(key);
        prepareStart(SagaRun.sagaKey(stored, owning.name()));
        Instant now = ground.time().clock().instant().truncatedTo(ChronoUnit.MICROS);
        Encoded encoded = ground.shared().codec().encode(input);
        Checks.that(
                encoded.body().length <= ground.shared().bytesMax(),
                "the input of saga %s takes %d bytes; at most %d are kept (payloadMax). Give it a reference instead",
                key,
                encoded.body().length,
                ground.shared().bytesMax());
        Duration deadline = owning.deadline();
        return SagaRow.fresh(
                new SagaRow.Birth(
                        id(owning.name(), key),
                        stored,
                        definition,
                        day,
                        now,
                        deadline == null ? Instant.MAX : now.plus(deadline)),
                owning.kin(),
                encoded,
                owning.owner());
    }

    /** What a new saga takes from its definition and its owner. */
    private record Owning(
            String name, @Nullable UUID owner, @Nullable Duration deadline, SagaRow.Kin kin) {}

    Verdict start(String name, Key key, Object input) {
        CompletableFuture<Verdict> started = new CompletableFuture<>();
        Definition definition = newest(name);
        if (definition == null || closing || byHand || !definition.room().tryEnter()) {
            return startOnly(name, key, input, null);
        }
        SagaRun run = null;
        try {
            run = prepare(definition, key, input, started);
        } finally {
            if (run == null) {
                definition.room().leave();
            }
        }
        if (run == null) {
            return startOnly(name, key, input, null);
        }
        SagaRun prepared = run;
        threads.execute(() -> {
            try {
                execute(prepared, started);
            } finally {
                leave(definition);
            }
        });
        return joined(started);
    }

    private void leave(Definition definition) {
        if (definition.room().leave()) {
            keeper.roomIsFree();
        }
    }

    private static Verdict joined(CompletableFuture<Verdict> started) {
        try {
            return started.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException refused) {
                throw refused;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    /** A run that starts the saga; null if somebody starts it here at this moment: the database tells who is first. */
    private @Nullable SagaRun prepare(
            Definition definition, Key key, Object input, CompletableFuture<Verdict> started) {
        checkInput(definition, input);
        String name = definition.name();
        SagaRow saga = fresh(
                definition.id(),
                key,
                input,
                new Owning(name, node, definition.rules().deadline(), SagaRow.Kin.NONE));
        if (!starting.add(saga.id())) {
            return null;
        }
        return SagaRun.start(this, definition, saga, input, () -> {
            ground.telling().metrics().saga(name, Metrics.SagaEvent.STARTED);
            started.complete(Verdict.APPLIED);
        });
    }

    /** A child, before its parent's transaction is begun that starts it: what is looked up here takes a connection of its own. */
    SagaRow child(SagaRun parent, Key key, ChildWork.Order order) {
        Definition definition = newest(order.definition());
        if (definition != null) {
            checkInput(definition, order.input());
        }
        return fresh(
                definition == null ? latest(order.definition()) : definition.id(),
                key,
                order.input(),
                new Owning(
                        order.definition(),
                        null,
                        definition == null ? null : definition.rules().deadline(),
                        new SagaRow.Kin(parent.saga().id(), parent.saga().root())));
    }

    void startChild(Connection connection, SagaRow child, ChildWork.Order order) {
        SagaStart.in(ground, connection, child, new SagaStart.Order(order.definition(), 0, order.input()));
        ground.telling().metrics().saga(order.definition(), Metrics.SagaEvent.STARTED);
    }

    private static void checkInput(Definition definition, Object input) {
        Class<?> type = definition.work().input();
        Checks.that(
                type.isInstance(input),
                "saga %s is started with a %s; it was a %s",
                definition.name(),
                type.getName(),
                input.getClass().getName());
    }

    /** Starts it without running it: whoever has its code and room takes it up. */
    Verdict startOnly(String name, Key key, Object input, @Nullable Transaction tx) {
        Definition definition = newest(name);
        if (definition != null) {
            checkInput(definition, input);
        }
        int id = definition == null ? latest(name) : definition.id();
        SagaRow saga = fresh(
                id,
                key,
                input,
                new Owning(
                        name,
                        null,
                        definition == null ? null : definition.rules().deadline(),
                        SagaRow.Kin.NONE));
        SagaStart.Order order = new SagaStart.Order(name, 0, input);
        boolean applied;
        if (tx != null) {
            applied = SagaStart.in(ground, tx.connection(), saga, order);
        } else {
            applied = asked("saga " + key + " could not be started", connection -> {
                boolean before = Connections.begin(connection);
                try {
                    boolean is = SagaStart.in(ground, connection, saga, order);
                    connection.commit();
                    return is;
                } catch (Throwable failure) {
                    Connections.rollback(connection, failure);
                    throw failure;
                } finally {
                    Connections.end(connection, before);
                }
            });
            keeper.nudge();
        }
        if (applied) {
            ground.telling().metrics().saga(name, Metrics.SagaEvent.STARTED);
        }
        return applied ? Verdict.APPLIED : Verdict.REPLAYED;
    }

    private int latest(String name) {
        return asked("the definitions of sagas can't be read", connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT id FROM hapax.saga_definition WHERE name = ? ORDER BY version DESC LIMIT 1")) {
                select.setString(1, name);
                try (ResultSet row = select.executeQuery()) {
                    Checks.that(row.next(), "no process has registered a saga named %s", name);
                    return row.getInt(1);
                }
            }
        });
    }

    /**
     * Starts it unless it has been started, running what it can on this thread, and waits.
     *
     * @return what is known of it
     */
    Waiters.Known complete(String name, Key key, Object input, Duration within) {
        Definition definition = newest(name);
        CompletableFuture<Verdict> started = new CompletableFuture<>();
        // The caller's thread is room enough.
        SagaRun run = definition == null || closing ? null : prepare(definition, key, input, started);
        if (run == null) {
            startOnly(name, key, input, null);
        } else {
            execute(run, started);
            joined(started);
            SagaStore.Ended ended = run.ended();
            if (ended != null) {
                return new Waiters.Known(ended.state(), ended.reason(), ended.result());
            }
        }
        return await(id(name, key), within);
    }

    Waiters.Known await(UUID id, Duration within) {
        keep();
        return waiters.await(id, byHand ? Duration.ZERO : within);
    }

    /** Runs on what was taken up. */
    void resume(SagaRow saga) {
        Definition definition = byId.get(saga.birth.definition());
        if (definition == null) {
            throw new IllegalStateException("a saga was taken up whose definition is not registered");
        }
        SagaRun run;
        try {
            run = SagaRun.resume(this, definition, saga);
        } catch (IllegalArgumentException e) {
            unreadable(saga, e);
            return;
        }
        definition.room().enter();
        Runnable work = () -> {
            try {
                execute(run, new CompletableFuture<>());
            } finally {
                leave(definition);
            }
        };
        if (byHand) {
            work.run();
        } else {
            threads.execute(work);
        }
    }

    private void unreadable(SagaRow saga, IllegalArgumentException e) {
        String because = Reasons.cut("its input can't be read: " + e.getMessage());
        LOG.warn("saga {} is stuck: {}", saga.birth.key(), because);
        asked("a saga could not be set aside", connection -> SagaStore.stuck(connection, saga, because));
        waiters.changed(saga.id());
    }

    private void execute(SagaRun run, CompletableFuture<Verdict> started) {
        SagaRun.Outcome outcome = SagaRun.Outcome.GIVEN_UP;
        running.add(run);
        try {
            outcome = run.run();
        } catch (Throwable failure) {
            if (!byHand) {
                LOG.error(
                        "saga {} of {} was given up",
                        run.saga().birth.key(),
                        run.definition().name(),
                        failure);
            }
            started.completeExceptionally(failure);
            throw failure;
        } finally {
            running.remove(run);
            starting.remove(run.saga().id());
            over(run, outcome, started);
        }
    }

    private void over(SagaRun run, SagaRun.Outcome outcome, CompletableFuture<Verdict> started) {
        String name = run.definition().name();
        Metrics metrics = ground.telling().metrics();
        RuntimeException refusal = run.refusal();
        if (refusal != null) {
            started.completeExceptionally(refusal);
        }
        switch (outcome) {
            case ENDED -> {
                SagaStore.Ended ended = run.ended();
                if (ended != null) {
                    metrics.saga(name, event(ended.state()));
                }
                waiters.changed(run.saga().id());
            }
            case STUCK -> {
                metrics.saga(name, Metrics.SagaEvent.STUCK);
                waiters.changed(run.saga().id());
            }
            case STARTED_BEFORE -> started.complete(Verdict.REPLAYED);
            case GIVEN_UP -> keeper.release(run.saga());
            case PARKED, FENCED, REFUSED -> keeper.nudge();
        }
        // What was taken over meanwhile had been started all the same.
        started.complete(Verdict.APPLIED);
    }

    /** Has a saga go on elsewhere whose step does not end: what became of the step is recorded first, and whatever its thread still does changes nothing. Not on the keeper's thread, since it may wait for the saga's row. */
    void giveUp(SagaRun run, TimedTry stuck) {
        run.fence();
        threads.execute(() -> {
            StepRow failure = stuck.failure();
            try {
                if (failure != null) {
                    ground.connections().inTransaction(connection -> SagaStore.step(connection, run.saga(), failure));
                }
                keeper.release(run.saga());
                LOG.error(
                        "a step of saga {} of {} goes on though its time is over and it was interrupted: the saga goes on without it, and its thread and its connection are in use until it ends",
                        run.saga().birth.key(),
                        run.definition().name());
            } catch (SQLException | RuntimeException e) {
                LOG.warn(
                        "saga {} of {} can't be taken from a step that does not end, and it is tried again: {}",
                        run.saga().birth.key(),
                        run.definition().name(),
                        e.toString());
                stuck.notHandedOver();
            }
        });
    }

    private static Metrics.SagaEvent event(SagaState end) {
        return switch (end) {
            case COMPENSATED -> Metrics.SagaEvent.COMPENSATED;
            case CANCELLED -> Metrics.SagaEvent.CANCELLED;
            default -> Metrics.SagaEvent.COMPLETED;
        };
    }

    SagaKeeper keeper() {
        return keeper;
    }

    SagaGround ground() {
        return ground;
    }

    <T> T asked(String what, Connections.Work<T> work) {
        try {
            return ground.connections().autoCommit(work);
        } catch (SQLException e) {
            throw SqlFaults.translate(what, e);
        }
    }

    /** Takes nothing up any more, and waits for what runs; what has not come to a rest by then is rolled back, and left to others. */
    @Override
    public void close() {
        closing = true;
        keeper.stop();
        threads.shutdown();
        try {
            if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
                threads.shutdownNow();
            }
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
