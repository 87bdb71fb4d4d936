package dev.hapax.internal;

import dev.hapax.Scope;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Consumers;
import dev.hapax.consume.Quarantine;
import dev.hapax.consume.Relays;
import dev.hapax.control.Control;
import dev.hapax.control.History;
import dev.hapax.internal.claim.ClaimFactory;
import dev.hapax.internal.consume.ConsumerGround;
import dev.hapax.internal.consume.ConsumerSettings;
import dev.hapax.internal.consume.HeldQuarantine;
import dev.hapax.internal.consume.RelayStore;
import dev.hapax.internal.consume.StoredConsumers;
import dev.hapax.internal.event.EventFactory;
import dev.hapax.internal.log.Drawn;
import dev.hapax.internal.log.LogWriter;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.internal.once.OnceFactory;
import dev.hapax.internal.saga.SagaEngine;
import dev.hapax.internal.saga.SagaGround;
import dev.hapax.internal.saga.StoredSagas;
import dev.hapax.internal.twophase.TwoPhaseFactory;
import dev.hapax.saga.SagaBuilder;
import dev.hapax.saga.Sagas;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All parts of an opened service, put together once. Safe for use by many threads. */
public final class Home implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Home.class);
    private static final Duration STOP_WITHIN = Duration.ofSeconds(10);

    private final Settings settings;
    private final Deadlines deadlines;
    private final Housekeeper housekeeper;
    private final Keeper keeper;
    private final OnceFactory once;
    private final ClaimFactory claims;
    private final TwoPhaseFactory twoPhase;
    private final EventFactory events;
    private final ConsumerGround consumerGround;
    private final Quarantine quarantine;
    private final Consumers stored;
    private final Relays relays;
    private final Control control;
    private final History history;
    private final SagaEngine sagaEngine;
    private final Sagas sagas;
    private final Map<String, Consumer> consumers = new ConcurrentHashMap<>();

    private Home(Settings settings, Deadlines deadlines) throws SQLException {
        this.settings = settings;
        this.deadlines = deadlines;
        Connections connections = new Connections(settings.dataSource, settings.metrics, deadlines);
        DatabaseClock clock = new DatabaseClock(settings.clock);
        Partitions partitions = new Partitions(connections);
        Names names = new Names(connections, settings.metrics, settings.defaults);
        connections.autoCommit(connection -> {
            clock.measure(connection);
            partitions.refresh(connection);
            names.recall(connection, settings.name);
            warnOfEndlessTransactions(connection);
            return connection;
        });
        for (Scope scope : settings.scopes.values()) {
            names.declare(scope, true);
        }
        Pauses pauses = new Pauses();
        Signals signals = new Signals();
        Drawn drawn = new Drawn();
        LogWriter log = new LogWriter(partitions, clock);
        ActiveTransaction.Shared shared = new ActiveTransaction.Shared(
                settings.codec, settings.tracing, log, settings.name, settings.messagesMax, settings.payloadMax);
        Retries retries = new Retries(settings.attempts);
        this.once = new OnceFactory(
                new OnceFactory.Ground(connections, names, partitions, clock, pauses, signals),
                shared,
                new OnceFactory.Settings(settings.metrics, retries, settings.futureTolerance, settings.waitUpTo));
        this.claims = new ClaimFactory(settings.name, once.settlements(), names);
        this.twoPhase = new TwoPhaseFactory(
                new TwoPhaseFactory.Ground(settings.name, once.settlements(), partitions, clock),
                settings.participants,
                settings.waitUpTo);
        this.events = new EventFactory(connections, once, shared, retries, settings.waitUpTo);
        this.consumerGround =
                new ConsumerGround(connections, shared, once, retries, settings.metrics, pauses, signals, drawn);
        this.quarantine = new HeldQuarantine(connections);
        this.stored = new StoredConsumers(connections);
        this.relays = new RelayStore(connections);
        this.control = new StoredControl(connections);
        this.sagaEngine = new SagaEngine(new SagaGround(
                connections,
                new SagaGround.Doing(once, claims),
                shared,
                new SagaGround.Time(clock, partitions),
                retries,
                new SagaGround.Telling(settings.metrics, signals)));
        this.sagas = new StoredSagas(sagaEngine);
        this.housekeeper = new Housekeeper(connections, partitions, clock, log, signals);
        this.history = new StoredHistory(connections);
        HistoryGuard guard = guard(settings, connections, names, partitions);
        Housework housework = new Housework(settings.name, housekeeper, settings.housekeeping);
        this.keeper = new Keeper(settings.name, connections, clock, pauses, guard, drawn, signals, housework);
    }

    /** When the database has gone back, what was read of the lost history is forgotten and declared anew. */
    private static HistoryGuard guard(Settings settings, Connections connections, Names names, Partitions partitions) {
        Path file = settings.historyWitness;
        HistoryWitness witness = file == null ? null : HistoryWitness.open(file);
        return new HistoryGuard(settings.name, settings.metrics, witness, () -> {
            names.forget();
            for (Scope scope : settings.scopes.values()) {
                names.declare(scope, true);
            }
            connections.autoCommit(connection -> {
                partitions.refresh(connection);
                return connection;
            });
        });
    }

    /**
     * A process that is paused or cut off in the middle of a transaction holds its locks until the server ends its session. The fencing token keeps it from doing harm; only this
     * setting keeps it from standing in the way.
     */
    private static void warnOfEndlessTransactions(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW idle_in_transaction_session_timeout")) {
            row.next();
            if (row.getString(1).equals("0")) {
                LOG.warn(
                        "idle_in_transaction_session_timeout is off: a paused process would hold the locks of its transaction for ever."
                                + " Set it for the service's role, as ./hapax schema grants prints it");
            }
        }
    }

    public static Home open(Settings settings) {
        Deadlines deadlines = new Deadlines(settings.name);
        try {
            Home home = new Home(settings, deadlines);
            home.twoPhase.prove();
            home.keeper.start();
            if (settings.housekeeping) {
                home.twoPhase.start();
            }
            return home;
        } catch (SQLException e) {
            deadlines.close();
            throw SqlFaults.translate("the service could not be opened", e);
        } catch (RuntimeException e) {
            deadlines.close();
            throw e;
        }
    }

    public String name() {
        return settings.name;
    }

    public OnceFactory once() {
        return once;
    }

    public ClaimFactory claims() {
        return claims;
    }

    public TwoPhaseFactory twoPhase() {
        return twoPhase;
    }

    public EventFactory events() {
        return events;
    }

    public Quarantine quarantine() {
        return quarantine;
    }

    public Consumers consumers() {
        return stored;
    }

    public Relays relays() {
        return relays;
    }

    public Control control() {
        return control;
    }

    public History history() {
        return history;
    }

    public <I> SagaBuilder<I> saga(String name, Class<I> input) {
        return sagaEngine.saga(name, input);
    }

    public Sagas sagas() {
        return sagas;
    }

    public ConsumerBuilder consumer(String name) {
        return new ConsumerSettings(Checks.name("consumer", name), consumerGround, this::start);
    }

    private Consumer start(ConsumerSettings wanted) {
        return wanted.startOn(
                consumerGround,
                consumer -> consumers.putIfAbsent(wanted.name(), consumer) == null,
                () -> consumers.remove(wanted.name()));
    }

    public int housekeep() {
        try {
            return housekeeper.moveDue(() -> true) + housekeeper.keepPartitions();
        } catch (SQLException e) {
            throw SqlFaults.translate("housekeeping failed", e);
        }
    }

    @Override
    public void close() {
        for (Consumer consumer : List.copyOf(consumers.values())) {
            consumer.stop(STOP_WITHIN);
        }
        claims.close();
        sagaEngine.close();
        twoPhase.close();
        keeper.close();
        deadlines.close();
    }
}
