package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.claim.ClaimResult;
import dev.hapax.internal.Names;
import dev.hapax.internal.Names.StoredScope;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Metrics;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The parts that make claims work, for all who build on them: callers that wait ({@link ClaimRun}), workers of a kind ({@link KindWorker}), operators. Safe for use by many threads.
 */
public final class ClaimEngine implements AutoCloseable {

    final Settlements settlements;
    final ClaimStore store;
    final ClaimTaking taking;
    final ClaimSettler settler;
    final ClaimRunner runner;
    final ClaimKeeper keeper;
    final CallWatch watch;

    private final Names names;

    /** A new name for each run of a process, so that it is not taken for its own zombie. */
    private final String node;

    private final AtomicLong owners = new AtomicLong();
    private final Set<String> measured = ConcurrentHashMap.newKeySet();

    public ClaimEngine(String service, Settlements settlements, Names names) {
        this.settlements = settlements;
        this.names = names;
        this.store = new ClaimStore(settlements);
        this.taking = new ClaimTaking(settlements, store);
        this.settler = new ClaimSettler(settlements, store);
        this.watch = new CallWatch(service);
        this.runner = new ClaimRunner(settlements, store, settler, watch);
        this.keeper = new ClaimKeeper(service, settlements.connections(), taking);
        this.node = service + "/" + SystemSource.INSTANCE.newUuidV7();
    }

    /** Names one owner of one claim: no other has the same, so that a claim whose commit went unheard is known again. */
    String newOwner() {
        return node + "#" + owners.incrementAndGet();
    }

    /** Names this run of the process. */
    String node() {
        return node;
    }

    /** Where the key lies, and its answer: both are known before a connection is borrowed. */
    Marker place(Key key) throws SQLException {
        Marker marker = settlements.place(key);
        store.sql(marker);
        return marker;
    }

    StoredScope scope(String name) throws SQLException {
        return names.scope(name);
    }

    /** Has an operation done, or finds out what became of it. */
    <T> ClaimResult<T> settle(ClaimSpec<T> spec) {
        measure(spec.key().scope());
        return settlements.counted(spec.key(), () -> new ClaimRun<>(this, spec).run());
    }

    /** What is known of an operation; null if nothing is, or somebody is at it. */
    <T> @Nullable ClaimResult<T> find(Key key, Class<T> type) {
        Marker marker = settlements.retried(key, () -> place(key));
        Look look = settler.look(key, marker);
        Look.Ended ended = look.ended();
        if (ended != null) {
            return settler.replay(key, marker, ended, type);
        }
        Look.Row row = look.row();
        return row != null && row.state() == ClaimState.IN_DOUBT ? inDoubt(key, row) : null;
    }

    static <T> ClaimResult<T> inDoubt(Key key, Look.Row row) {
        return new ClaimResult.InDoubt<>(
                key,
                row.doubtSince() == null ? row.claimedAt() : row.doubtSince(),
                row.attempts(),
                row.lastError() == null ? "?" : row.lastError());
    }

    /** The scope's series are there from the first claim on. */
    void measure(String scope) {
        if (!measured.contains(scope) && measured.add(scope)) {
            Metrics metrics = settlements.metrics();
            metrics.claims(
                    scope,
                    () -> keeper.inDoubt(scope).count(),
                    () -> keeper.inDoubt(scope).oldestSeconds());
        }
    }

    @Override
    public void close() {
        keeper.close();
        watch.close();
    }
}
