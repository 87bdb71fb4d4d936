package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Transaction;
import dev.hapax.claim.ClaimKind;
import dev.hapax.claim.ClaimResult;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Projecting;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.claim.ClaimStore.Intent;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Encoded;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A kind at work: one thread that takes claims up, and a virtual thread for each call. Safe for use by many threads. */
final class RunningKind<R, T> implements ClaimKind<R, T> {

    private static final Logger LOG = LoggerFactory.getLogger(RunningKind.class);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);
    private static final int TAKEN_AT_ONCE = 100;

    private final KindSettings<R, T> settings;
    private final ClaimEngine engine;
    private final KindWorker<R, T> worker;
    private final Runnable whenClosed;
    private final Semaphore free;
    private final Semaphore wake = new Semaphore(0);
    private final RateLimit rate;
    private final ExecutorService calls;
    private final Thread thread;
    private final @Nullable Outage<R, T> outage;
    private volatile boolean stopped;
    private boolean inTrouble;

    RunningKind(KindSettings<R, T> settings, KindWorker<R, T> worker, Runnable whenClosed) {
        this.settings = settings;
        this.engine = settings.engine;
        this.worker = worker;
        this.whenClosed = whenClosed;
        this.outage = outage(settings);
        this.free = new Semaphore(settings.concurrency);
        this.rate = new RateLimit(settings.perSecond);
        this.calls = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("hapax-call-" + settings.scope + "-", 0).factory());
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("hapax-claims-" + settings.scope)
                .unstarted(this::run);
    }

    private static <R, T> @Nullable Outage<R, T> outage(KindSettings<R, T> settings) {
        Path folder = settings.journal;
        if (folder == null) {
            return null;
        }
        try {
            return new Outage<>(settings, OutageJournal.open(folder, settings.scope));
        } catch (IOException e) {
            throw new UncheckedIOException("the journal of outages in " + folder + " can't be opened", e);
        }
    }

    void start() {
        engine.measure(settings.scope);
        thread.start();
    }

    private void run() {
        try {
            while (!stopped) {
                if (takeUp() + foldIn() == 0) {
                    wake.tryAcquire(rate.waitMillis(settings.idle.toMillis()), TimeUnit.MILLISECONDS);
                    wake.drainPermits();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What was called while the database could not be reached. */
    private int foldIn() {
        Outage<R, T> journaled = outage;
        if (journaled == null || inTrouble || journaled.journal().isEmpty()) {
            return 0;
        }
        try {
            return new OutageFolder<>(settings, journaled).fold();
        } catch (IOException | SQLException | RuntimeException e) {
            LOG.warn(
                    "calls of {} made without the database can't be folded in, which is tried again: {}",
                    settings.scope,
                    e.toString());
            return 0;
        }
    }

    /** One round: as many as there is room for. */
    private int takeUp() {
        int room = Math.min(Math.min(free.availablePermits(), TAKEN_AT_ONCE), rate.available());
        if (room == 0) {
            return 0;
        }
        try {
            List<Held> taken = worker.take(room);
            for (Held held : taken) {
                rate.take();
                free.acquireUninterruptibly();
                calls.execute(() -> call(held));
            }
            inTrouble = false;
            return taken.size();
        } catch (SQLException | RuntimeException e) {
            // Once per outage: a line for each round says no more.
            if (!inTrouble && !stopped) {
                LOG.warn("claims of {} can't be taken up, which is tried again: {}", settings.scope, e.toString());
            }
            inTrouble = true;
            return 0;
        }
    }

    private void call(Held held) {
        try {
            worker.work(held);
        } finally {
            free.release();
            wake.release();
        }
    }

    @Override
    public String scope() {
        return settings.scope;
    }

    @Override
    public ClaimResult<T> settle(Key key, R request, Duration within) {
        Projecting.refuse("a claim", key);
        checkScope(key);
        Checks.duration("within", within, ClaimCall.LIMIT_MIN, ClaimCall.LIMIT_MAX);
        byte[] fingerprint = engine.settlements.fingerprint(request);
        Encoded encoded = engine.settlements.encode(key, request);
        Outage<R, T> journaled = outage;
        if (journaled != null && journaled.isDown()) {
            Optional<ClaimResult<T>> called = journaled.settle(key, request, fingerprint, encoded);
            if (called.isPresent()) {
                return called.get();
            }
        }
        try {
            return engine.settle(
                    new ClaimSpec<>(key, new KindHandler<>(settings, request), fingerprint, encoded, true, within));
        } catch (RetryException e) {
            if (journaled == null || !journaled.isMeantBy(e)) {
                throw e;
            }
            return journaled.settle(key, request, fingerprint, encoded).orElseThrow(() -> e);
        }
    }

    @Override
    public boolean submit(Transaction tx, Key key, R request) {
        Projecting.refuse("a claim", key);
        checkScope(key);
        Settlements settlements = engine.settlements;
        byte[] fingerprint = settlements.fingerprint(request);
        Encoded encoded = settlements.encode(key, request);
        try {
            Marker marker = settlements.place(key);
            Intent intent = new Intent(key, "", 0, fingerprint, encoded);
            if (engine.store.submit(tx.connection(), marker, intent)) {
                return true;
            }
            Look look = engine.store.look(tx.connection(), marker);
            Look.Ended ended = look.ended();
            Look.Row row = look.row();
            Settlements.checkSame(
                    key, fingerprint, ended != null ? ended.fingerprint() : row != null ? row.fingerprint() : null);
            return false;
        } catch (SQLException e) {
            if (SqlFaults.isUndefinedTable(e)) {
                throw new RetryException(
                        "a table that key " + key + " needs was dropped meanwhile; try the transaction again", e);
            }
            throw Settlements.translate(key, e);
        }
    }

    @Override
    public Optional<ClaimResult<T>> find(Key key) {
        checkScope(key);
        return Optional.ofNullable(engine.find(key, settings.answerType));
    }

    private void checkScope(Key key) {
        Checks.that(
                key.scope().equals(settings.scope),
                "key %s is of another scope than these claims, which are of %s",
                key,
                settings.scope);
    }

    @Override
    public void close() {
        if (stopped) {
            return;
        }
        stopped = true;
        wake.release();
        long deadline = SystemSource.INSTANCE.nanos() + CLOSE_WITHIN.toNanos();
        try {
            thread.join(CLOSE_WITHIN);
            calls.shutdown();
            long left = Math.max(1, deadline - SystemSource.INSTANCE.nanos());
            if (!calls.awaitTermination(left, TimeUnit.NANOSECONDS)) {
                LOG.warn(
                        "calls of {} go on past {}; they are interrupted, and others ask what became of them",
                        settings.scope,
                        CLOSE_WITHIN);
                calls.shutdownNow();
            }
        } catch (InterruptedException e) {
            calls.shutdownNow();
            Thread.currentThread().interrupt();
        }
        if (outage != null) {
            try {
                outage.journal().close();
            } catch (IOException e) {
                LOG.warn("the journal of outages of {} could not be closed", settings.scope, e);
            }
        }
        whenClosed.run();
    }
}
