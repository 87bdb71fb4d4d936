package dev.hapax.testkit.proof;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The invariants that hold for every scenario, checked by counting rows in the target. */
public final class Invariants {

    /** No operation takes effect more often than it should, at any moment. */
    public static final String AT_MOST_ONCE = "applied at most once";

    /** Once recovery is over, every operation that was acknowledged has taken effect. */
    public static final String ACKNOWLEDGED_IS_APPLIED = "acknowledged is applied";

    /** After a death, before recovery: no message is passed by a position whose effect isn't there. */
    public static final String POSITION_BEHIND_EFFECTS = "position never ahead of effects";

    /** For each message key, effects take place in the order of the log. */
    public static final String ORDER_PER_KEY = "order per key";

    /** After recovery no message waits that could be handled, none is unread, and no transaction is left open. */
    public static final String NOTHING_IN_FLIGHT = "nothing left in flight";

    /** Once nothing goes wrong any more, every operation is answered. */
    public static final String RECOVERS = "every operation is answered in the end";

    /** A lane changes its owner only when the lease has run out, by the database's clock. */
    public static final String LEASES_ARE_KEPT = "no live owner is robbed";

    /** All of them. */
    public static final List<String> ALL = List.of(
            AT_MOST_ONCE,
            ACKNOWLEDGED_IS_APPLIED,
            POSITION_BEHIND_EFFECTS,
            ORDER_PER_KEY,
            NOTHING_IN_FLIGHT,
            RECOVERS,
            LEASES_ARE_KEPT);

    private static final String PASSED = """
            SELECT g.key FROM hapax.log g JOIN hapax.position p ON p.lane = g.lane
            WHERE p.consumer = ? AND g.topic = ? AND (g.number <= p.low OR g.number <@ p.done)
              AND NOT EXISTS (SELECT FROM hapax.held h WHERE h.consumer = p.consumer AND h.message_id = g.id)""";

    private static final String UNREAD = """
            SELECT count(*) FROM unnest(CAST(? AS text[])) AS c (consumer) CROSS JOIN hapax.log g
            WHERE NOT EXISTS (SELECT FROM hapax.position p WHERE p.consumer = c.consumer AND p.lane = g.lane
                              AND (g.number <= p.low OR g.number <@ p.done))""";

    /** What waits behind a message that was set aside waits for a person; all else is to be done. */
    private static final String HELD = """
            SELECT count(*) FROM hapax.held h WHERE h.consumer = ANY (CAST(? AS text[])) AND (h.state = 'RETRY' OR h.state = 'WAITING' AND NOT EXISTS
              (SELECT FROM hapax.held a WHERE a.consumer = h.consumer AND a.lane = h.lane AND a.message_key = h.message_key
               AND a.number < h.number AND a.state = 'QUARANTINED'))""";

    private static final String OPEN = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND state LIKE 'idle in transaction%'""";

    private Invariants() {}

    /** How much is still to be done: what the scenario says, and by all consumers held messages, unread ones, delayed ones. */
    static long inFlight(Scenario<?> scenario, Connection connection, Set<String> consumers) throws SQLException {
        long more = 0;
        for (String sql : scenario.unfinished) {
            more += Rows.number(connection, sql);
        }
        return more + (consumers.isEmpty() ? 0 : messages(connection, consumers));
    }

    private static long messages(Connection connection, Set<String> consumers) throws SQLException {
        String names = "{" + String.join(",", consumers) + "}";
        return Rows.number(
                connection,
                "SELECT (" + UNREAD + ") + (" + HELD + ") + (SELECT count(*) FROM hapax.delayed)",
                names,
                names);
    }

    /** What holds at every moment, whatever has just died. */
    static void always(Scenario<?> scenario, Arena arena, List<Operation> operations, BiConsumer<String, String> found)
            throws SQLException {
        Connection connection = arena.watcher();
        for (Scenario.Count target : scenario.counts) {
            Map<String, Long> counted = target.tally().count(connection, arena.world());
            for (Operation operation : operations) {
                long times = counted.getOrDefault(operation.id(), 0L);
                if (times > scenario.expected.applyAsLong(operation)) {
                    found.accept(
                            AT_MOST_ONCE, operation.id() + " took effect " + times + " times in " + target.target());
                }
            }
            passed(scenario, target, connection, operations, counted, found);
        }
        for (List<String> robbed : Rows.read(connection, "SELECT owner, lane, taken_by FROM proof.robbed LIMIT 1")) {
            found.accept(
                    LEASES_ARE_KEPT,
                    robbed.get(2) + " took lane " + robbed.get(1) + " from " + robbed.get(0)
                            + " before its lease had run out");
        }
    }

    private static void passed(
            Scenario<?> scenario,
            Scenario.Count target,
            Connection connection,
            List<Operation> operations,
            Map<String, Long> counted,
            BiConsumer<String, String> found)
            throws SQLException {
        String consumer = target.consumer();
        String topic = target.topic();
        if (consumer == null || topic == null) {
            return;
        }
        Map<String, Long> wanted = new HashMap<>();
        operations.forEach(operation -> wanted.put(operation.id(), scenario.expected.applyAsLong(operation)));
        for (List<String> message : Rows.read(connection, PASSED, consumer, topic)) {
            String id = message.getFirst();
            if (wanted.getOrDefault(id, 0L) > 0 && counted.getOrDefault(id, 0L) == 0) {
                found.accept(
                        POSITION_BEHIND_EFFECTS,
                        "the position of " + consumer + " has passed the message of " + id + ", which took no effect");
            }
        }
    }

    /** What holds once recovery is over. */
    static void atRest(
            Scenario<?> scenario,
            Arena arena,
            List<Operation> acknowledged,
            Set<String> consumers,
            BiConsumer<String, String> found)
            throws SQLException {
        Connection connection = arena.watcher();
        for (Scenario.Count target : scenario.counts) {
            Map<String, Long> counted = target.tally().count(connection, arena.world());
            for (Operation operation : acknowledged) {
                long times = counted.getOrDefault(operation.id(), 0L);
                long wanted = scenario.expected.applyAsLong(operation);
                if (times < wanted) {
                    found.accept(
                            ACKNOWLEDGED_IS_APPLIED,
                            operation.id() + " was acknowledged and took effect " + times + " times in "
                                    + target.target() + " instead of " + wanted);
                }
            }
        }
        long inFlight = inFlight(scenario, connection, consumers);
        if (inFlight > 0) {
            found.accept(NOTHING_IN_FLIGHT, inFlight + " messages or other things are left to be done");
        }
        long open = Rows.number(connection, OPEN);
        if (open > 0) {
            found.accept(NOTHING_IN_FLIGHT, open + " transactions are left open");
        }
        for (String sql : scenario.orders) {
            order(connection, sql, found);
        }
        for (Scenario.Invariant invariant : scenario.invariants) {
            for (String finding : invariant.look().findings(connection, arena.world())) {
                found.accept(invariant.name(), finding);
            }
        }
    }

    private static void order(Connection connection, String sql, BiConsumer<String, String> found) throws SQLException {
        Map<String, Integer> place = new HashMap<>();
        for (List<String> message :
                Rows.read(connection, "SELECT message_key, key FROM hapax.log ORDER BY lane, number")) {
            place.putIfAbsent(message.get(0) + "\n" + message.get(1), place.size());
        }
        Map<String, @Nullable String> last = new HashMap<>();
        List<List<String>> effects = new ArrayList<>(Rows.read(connection, sql));
        for (List<String> effect : effects) {
            String before = last.put(effect.get(0), effect.get(1));
            int now = place.getOrDefault(effect.get(0) + "\n" + effect.get(1), Integer.MAX_VALUE);
            if (before != null && place.getOrDefault(effect.get(0) + "\n" + before, -1) > now) {
                found.accept(
                        ORDER_PER_KEY,
                        "for message key " + effect.get(0) + ", " + effect.get(1) + " took effect after " + before);
            }
        }
    }
}
