package dev.hapax.internal.consume;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.internal.consume.Failures.MessageFailure;
import dev.hapax.internal.once.OnceFactory;
import dev.hapax.log.Message;
import dev.hapax.once.Verdict;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Tells messages that were applied before, by a marker for each, where a consumer wants it. Safe for use by many threads. */
final class Repeats {

    private static final Seen NONE = new Seen(new BitSet());

    private final String consumer;
    private final @Nullable Function<? super Message, Key> key;
    private final boolean byId;
    private final OnceFactory once;

    Repeats(ConsumerSettings settings, OnceFactory once) {
        this.consumer = settings.name();
        this.key = settings.deduplicateBy;
        this.byId = settings.deduplicateById;
        this.once = once;
    }

    /** Which of some messages are repeats, by their index. */
    record Seen(BitSet repeats) {

        boolean isRepeat(int index) {
            return repeats.get(index);
        }
    }

    /**
     * Marks those messages that are handled, all in one statement for each table.
     *
     * @throws MessageFailure one of them has no key, or one that is outside its window
     */
    Seen mark(Connection connection, List<ReadMessage> messages, Predicate<ReadMessage> handled)
            throws SQLException, MessageFailure {
        if (key == null && !byId) {
            return NONE;
        }
        List<Key> keys = new ArrayList<>(messages.size());
        int[] indexes = new int[messages.size()];
        for (int i = 0; i < messages.size(); i++) {
            if (handled.test(messages.get(i))) {
                indexes[keys.size()] = i;
                keys.add(keyOf(messages.get(i), i));
            }
        }
        return keys.isEmpty() ? NONE : mark(connection, keys, indexes);
    }

    private Seen mark(Connection connection, List<Key> keys, int[] indexes) throws SQLException, MessageFailure {
        List<Verdict> verdicts = verdicts(connection, keys);
        BitSet repeats = new BitSet();
        for (int i = 0; i < keys.size(); i++) {
            switch (verdicts.get(i)) {
                case APPLIED -> {}
                case REPLAYED, CONFLICTING -> repeats.set(indexes[i]);
                case TOO_LATE, TOO_EARLY ->
                    throw new MessageFailure(
                            indexes[i],
                            new Dispatch.Undeliverable(
                                    "the time of its key " + keys.get(i) + " lies outside the window of its scope ("
                                            + verdicts.get(i) + "): whether it was applied is not known"));
            }
        }
        return new Seen(repeats);
    }

    private List<Verdict> verdicts(Connection connection, List<Key> keys) throws SQLException {
        try {
            return once.mark(connection, keys);
        } catch (InProgressException e) {
            // Somebody else is applying it, and holds on: no message's fault. It is tried again, from the position.
            throw new SQLException(e.getMessage(), "57P03", e);
        }
    }

    private Key keyOf(ReadMessage message, int index) throws MessageFailure {
        Function<? super Message, Key> function = key;
        if (function == null) {
            return message.handling(consumer);
        }
        try {
            return function.apply(message);
        } catch (RuntimeException | Error e) {
            throw new MessageFailure(index, e);
        }
    }
}
