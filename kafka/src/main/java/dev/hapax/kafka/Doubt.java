package dev.hapax.kafka;

import dev.hapax.consume.Relays.Decision;
import dev.hapax.internal.consume.LaneMark;
import dev.hapax.internal.consume.RelayStore;
import dev.hapax.internal.consume.RelayStore.Open;
import dev.hapax.log.Message;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What a relay does behind a break in the log's history, when a person has decided. Where messages of this log may be on the topics already, it reads the topics, and publishes those that aren't. Used by
 * one thread.
 */
final class Doubt {

    private final RelaySettings settings;
    private final RelayStore store;
    private final TopicAdmin topics;
    private final List<Open> comparing = new ArrayList<>();
    private final Set<UUID> published = new HashSet<>();

    Doubt(RelaySettings settings, RelayStore store, TopicAdmin topics) {
        this.settings = settings;
        this.store = store;
        this.topics = topics;
    }

    static boolean isDecided(List<Open> open) {
        return !open.isEmpty()
                && open.stream().allMatch(one -> one.known().decision().isPresent());
    }

    /**
     * Where the lanes go on, as it was decided.
     *
     * @param committed where they are
     */
    List<LaneMark> goOn(List<Open> open, Map<Integer, LaneMark> committed) throws SQLException {
        List<LaneMark> marks = new ArrayList<>();
        for (Open one : open) {
            int lane = one.known().lane();
            boolean skip = one.known().decision().filter(Decision.SKIP::equals).isPresent();
            LaneMark now = committed.get(lane);
            long behind =
                    now == null ? one.known().after() : Math.min(one.known().after(), now.low());
            marks.add(store.markAt(lane, skip ? store.lastNumber(lane) : behind));
        }
        return marks;
    }

    /** The lanes have gone on there. */
    void begun(List<Open> open) throws SQLException {
        List<Open> skipped = new ArrayList<>();
        for (Open one : open) {
            if (one.known().decision().filter(Decision.SKIP::equals).isPresent()) {
                skipped.add(one);
            } else {
                store.compareTo(one.known(), store.lastNumber(one.known().lane()));
            }
        }
        store.done(skipped);
    }

    /** Reads from the topics what was published of the doubtful ranges; after a fencing, so that nothing is added to it. */
    void read(List<Open> open, Map<Integer, LaneMark> committed) throws SQLException {
        Map<String, Instant> since = new HashMap<>();
        for (Open one : open) {
            Long until = one.compareTo();
            LaneMark now = committed.get(one.known().lane());
            if (until == null || now == null || now.low() >= until) {
                continue;
            }
            comparing.add(one);
            store.earliest(one.known().lane(), now.low(), until).forEach((topic, at) -> {
                String target = settings.topics.get(topic);
                if (target != null) {
                    since.merge(target, at, (a, b) -> a.isBefore(b) ? a : b);
                }
            });
        }
        if (!since.isEmpty()) {
            published.addAll(new PublishedIds(settings.connection, topics).since(since));
        }
    }

    /** Those that are not known to be on the topics. */
    List<Message> missing(List<Message> messages) {
        if (comparing.isEmpty()) {
            return messages;
        }
        return messages.stream()
                .filter(message -> !isCompared(message) || !published.contains(message.id()))
                .toList();
    }

    private boolean isCompared(Message message) {
        return comparing.stream().anyMatch(one -> {
            Long until = one.compareTo();
            return one.known().lane() == message.lane() && until != null && message.number() <= until;
        });
    }

    /** Forgets what lies behind the lanes. */
    void passed(Map<Integer, LaneMark> committed) throws SQLException {
        if (comparing.isEmpty()) {
            return;
        }
        List<Open> done = comparing.stream()
                .filter(one -> {
                    LaneMark now = committed.get(one.known().lane());
                    Long until = one.compareTo();
                    return now != null && until != null && now.low() >= until;
                })
                .toList();
        store.done(done);
        comparing.removeAll(done);
        if (comparing.isEmpty()) {
            published.clear();
        }
    }
}
