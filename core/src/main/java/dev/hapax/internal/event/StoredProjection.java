package dev.hapax.internal.event;

import dev.hapax.RetryException;
import dev.hapax.event.Event;
import dev.hapax.event.Projection;
import dev.hapax.event.ProjectionFailedException;
import dev.hapax.event.ProjectionHandler;
import dev.hapax.internal.Checks;
import dev.hapax.internal.GuardedConnection;
import dev.hapax.internal.Projecting;
import dev.hapax.internal.Retries;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.consume.Position;
import dev.hapax.internal.event.ProjectionStore.Found;
import dev.hapax.internal.event.ProjectionStore.Look;
import dev.hapax.internal.once.Settlements;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A projection and its position.
 *
 * <p>A page is one transaction: it takes the turn by locking the position's row, looks, hands over, moves the position, commits. Whoever has the turn reads the position that the one before has committed,
 * so nothing is handed over twice, and a process that stood still holds the lock or has lost its transaction.
 *
 * <p>What is not there yet though higher numbers are (a gap) is looked for at each page, and given up when no transaction can fill it any more: {@link Position} says how. The bounds of gaps are remembered
 * here and not stored; without them a gap is given up a page later.
 */
final class StoredProjection implements Projection {

    private final String name;
    private final String prefix;
    private final int page;
    private final Map<Class<?>, ProjectionHandler<?>> handlers;
    private final ProjectionStore store;
    private final Retries retries;
    private final ReentrantLock turn = new ReentrantLock();
    private @Nullable Position known;

    private StoredProjection(ProjectionSettings settings, ProjectionStore store, Retries retries) {
        this.name = settings.name;
        this.prefix = settings.prefix;
        this.page = settings.page;
        this.handlers = Map.copyOf(settings.handlers);
        this.store = store;
        this.retries = retries;
    }

    static StoredProjection open(ProjectionSettings settings, ProjectionStore store, Retries retries) {
        StoredProjection projection = new StoredProjection(settings, store, retries);
        projection.tried(() -> store.connections().autoCommit(connection -> {
            store.create(connection, settings.name);
            return connection;
        }));
        return projection;
    }

    @Override
    public String name() {
        return name;
    }

    /** The caller's code has failed, on its way through ours. */
    private static final class Failed extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final transient Throwable thrown;
        private final int index;
        private final transient @Nullable Event event;

        private Failed(Throwable thrown, int index, @Nullable Event event) {
            super(null, thrown, false, false);
            this.thrown = thrown;
            this.index = index;
            this.event = event;
        }
    }

    /** What a page did. */
    private record Done(int read, int handled) {}

    @Override
    public long catchUp() {
        turn.lock();
        try {
            long handled = 0;
            int most = page;
            while (true) {
                int size = most;
                try {
                    Done done = tried(() -> page(size));
                    handled += done.handled;
                    if (done.read < page && size == page) {
                        return handled;
                    }
                    most = page;
                } catch (Failed e) {
                    Event event = e.event;
                    if (e.index == 0 && event != null) {
                        throw new ProjectionFailedException(name, event, e.thrown);
                    }
                    // Those before it went well: they are committed without it, and then it is the first.
                    most = e.index;
                }
            }
        } finally {
            turn.unlock();
        }
    }

    private Done page(int most) throws SQLException {
        Position[] moved = new Position[1];
        int[] handled = {0};
        int read = store.connections().inTransaction(connection -> {
            Position stored = store.lock(connection, name);
            Position position = remembered(stored);
            String before = position.toString();
            Look look = store.look(connection, position, prefix, most);
            Projecting.run(name, () -> handled[0] = handOver(connection, look, position));
            if (look.whole()) {
                position.giveUp(look.xmin());
            }
            if (!position.toString().equals(before)) {
                store.move(connection, name, position.low(), position.done());
            }
            moved[0] = position;
            return look.events().size();
        });
        if (moved[0].isUnbounded()) {
            moved[0].bound(store.drawBound());
        }
        known = moved[0];
        return new Done(read, handled[0]);
    }

    /** What is remembered, with its bounds, if it is what is stored: if not, another process has had its turn. */
    private Position remembered(Position stored) {
        Position remembered = known;
        return remembered != null && remembered.toString().equals(stored.toString()) ? remembered.copy() : stored;
    }

    private int handOver(Connection raw, Look look, Position position) throws SQLException {
        Connection connection = new GuardedConnection(raw);
        int handled = 0;
        for (int i = 0; i < look.events().size(); i++) {
            Found found = look.events().get(i);
            StoredEvent event = found.event();
            if (event != null) {
                handled += handOver(connection, event, i);
            }
            position.done(found.position());
        }
        return handled;
    }

    private int handOver(Connection connection, StoredEvent event, int index) throws SQLException {
        try {
            Object body = event.as(Object.class);
            ProjectionHandler<?> handler = handlers.get(body.getClass());
            if (handler == null) {
                return 0;
            }
            call(handler, body, event, connection);
            return 1;
        } catch (Throwable t) {
            SQLException sql = SqlFaults.find(t);
            if (sql != null && SqlFaults.isRetryable(sql)) {
                throw sql;
            }
            throw new Failed(t, index, event);
        }
    }

    @SuppressWarnings("unchecked") // A handler is kept under the class of what it handles.
    private static <T> void call(ProjectionHandler<T> handler, Object body, Event event, Connection connection)
            throws Exception {
        handler.handle((T) body, event, connection);
    }

    @Override
    public <E extends Exception> void replayFrom(long position, ProjectionClearing<E> clear) throws E {
        Checks.that(position >= 0, "the position must be 0 or more; it was %d", position);
        turn.lock();
        try {
            tried(() -> store.connections().inTransaction(connection -> {
                long low = store.lock(connection, name).low();
                Checks.that(
                        position <= low,
                        "projection %s stands at position %d; to go on from %d would skip events",
                        name,
                        low,
                        position);
                clear(connection, clear);
                store.move(connection, name, position, "{}");
                return connection;
            }));
            known = null;
        } catch (Failed e) {
            throw Settlements.asThrown(e.thrown);
        } finally {
            turn.unlock();
        }
    }

    private <E extends Exception> void clear(Connection raw, ProjectionClearing<E> clear) throws SQLException {
        try {
            Projecting.run(name, () -> clear.clear(new GuardedConnection(raw)));
        } catch (Throwable t) {
            SQLException sql = SqlFaults.find(t);
            if (sql != null && SqlFaults.isRetryable(sql)) {
                throw sql;
            }
            throw new Failed(t, 0, null);
        }
    }

    @Override
    public long position() {
        return tried(() -> store.connections().autoCommit(connection -> store.find(connection, name)))
                .low();
    }

    /** A step that may be tried again: what it did is committed, or not at all, and the position tells which. */
    @FunctionalInterface
    private interface Attempt<R> {
        R run() throws SQLException;
    }

    private <R> R tried(Attempt<R> attempt) {
        for (int n = 1; ; n++) {
            try {
                return attempt.run();
            } catch (SQLException e) {
                if (SqlFaults.isWaitedTooLong(e)) {
                    throw new RetryException("projection " + name + " has waited for its turn too long; call again", e);
                }
                if (!SqlFaults.isRetryable(e) || n >= retries.attemptsMax()) {
                    throw SqlFaults.translate("projection " + name + " could not go on", e);
                }
            }
            retries.pause(n);
        }
    }
}
