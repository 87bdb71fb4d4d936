package dev.hapax.internal.event;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.event.EventAppend;
import dev.hapax.event.EventStream;
import dev.hapax.internal.Checks;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.event.EventStore.Place;
import dev.hapax.internal.event.EventStore.Wanted;
import dev.hapax.internal.once.Settlements;
import dev.hapax.once.Once;
import dev.hapax.once.Result;
import dev.hapax.once.Verdict;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One append, on one operation of {@code once}. */
final class AppendCall implements EventAppend {

    private static final long NOT_SAID = -2;

    private final EventFactory events;
    private final String stream;
    private final Key key;
    private final @Nullable Connection joined;
    private Once once;
    private long expected = NOT_SAID;
    private int waitSeconds;

    AppendCall(EventFactory events, String stream, Key key, @Nullable Connection joined) {
        this.events = events;
        this.waitSeconds = events.waitSeconds();
        this.stream = stream;
        this.key = key;
        this.joined = joined;
        this.once = joined == null ? events.once(key) : events.once(key).on(joined);
    }

    @Override
    public EventAppend expecting(long version) {
        Checks.that(version >= 0, "the expected version of stream %s must be 0 or more; it was %d", stream, version);
        expected = version;
        return this;
    }

    @Override
    public EventAppend expectingAny() {
        expected = EventStore.ANY;
        return this;
    }

    @Override
    public EventAppend matching(Object request) {
        once = once.matching(request);
        return this;
    }

    @Override
    public EventAppend waitUpTo(Duration time) {
        once = once.waitUpTo(time);
        waitSeconds = EventFactory.seconds(time);
        return this;
    }

    @Override
    public Result<Long> events(Object first, Object... more) {
        return events(Stream.concat(Stream.of(first), Stream.of(more)).toList());
    }

    @Override
    public Result<Long> events(List<?> given) {
        Checks.state(
                expected != NOT_SAID,
                "say on which version of stream %s the events were decided: expecting(version), or expectingAny()",
                stream);
        Checks.range("the number of events of one append", given.size(), 1, EventStream.EVENTS_MAX);
        List<Encoded> encoded = given.stream().map(events::encode).toList();
        Wanted wanted = new Wanted(stream, events.settlements().withProducer(key), expected, encoded);
        long[] version = {0};
        try {
            Verdict verdict = once.run(tx -> version[0] = events.store().append(tx.connection(), wanted, waitSeconds));
            return verdict == Verdict.APPLIED
                    ? new Result.Applied<>(version[0])
                    : new Result.Replayed<>(Optional.of(firstTime(wanted)));
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    private RuntimeException failed(SQLException e) {
        return SqlFaults.isWaitedTooLong(e)
                ? new InProgressException(
                        key,
                        "stream " + stream + " is being appended to by another transaction at this moment, and key "
                                + key
                                + " has waited for it for " + waitSeconds
                                + " s. Nothing was appended; call again later with the same key")
                : Settlements.translate(key, e);
    }

    private long firstTime(Wanted wanted) throws SQLException {
        Connection own = joined;
        Optional<Place> place = own == null
                ? events.store().connections().autoCommit(connection -> find(connection, wanted.key()))
                : find(own, wanted.key());
        return place.filter(found -> found.stream().equals(stream))
                .orElseThrow(() -> new KeyReusedException(
                        key,
                        "key " + key + " was applied before, and "
                                + place.map(found -> "appended to stream " + found.stream())
                                        .orElse("was no append")
                                + "; nothing was appended to stream " + stream
                                + ". Another operation needs another key"))
                .version();
    }

    private Optional<Place> find(Connection connection, Key stored) throws SQLException {
        return events.store().place(connection, stored, EventStream.EVENTS_MAX);
    }
}
