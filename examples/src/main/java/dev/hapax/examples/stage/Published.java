package dev.hapax.examples.stage;

import dev.hapax.examples.shop.OrderPlaced;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Holds what is on the topic against what was ordered, record by record: as a consumer sees it that has nothing to do with Hapax, and reads committed records.
 *
 * @param records how many records there are
 * @param distinct of how many different lines they tell
 * @param differences what differs, by how it differs: keys of lines
 */
public record Published(long records, long distinct, Map<String, List<String>> differences) {

    /** Counts records as they come. Used by one thread. */
    static final class Count {
        private final OrderBook orders;
        private final int lines;
        private final int[] onTopic;
        private final Set<String> strangers = new HashSet<>();
        private final Map<String, List<String>> differences = new LinkedHashMap<>();
        private long records;

        Count(OrderBook orders, int lines) {
            this.orders = orders;
            this.lines = lines;
            this.onTopic = new int[lines];
        }

        void add(byte @Nullable [] value, String place) {
            records++;
            OrderPlaced placed = read(value);
            if (placed == null) {
                differs("no order line on the topic at", place);
                return;
            }
            String name = placed.invoice() + "/" + placed.line();
            int number = orders.find(placed.invoice(), placed.line());
            if (number == OrderBook.NOWHERE || number >= lines) {
                strangers.add(name);
                differs("published and never ordered", name);
                return;
            }
            onTopic[number]++;
            if (orders.line(number).amount().compareTo(placed.amount()) != 0) {
                differs("published otherwise than ordered", name);
            }
        }

        private static @Nullable OrderPlaced read(byte @Nullable [] value) {
            if (value == null) {
                return null;
            }
            try {
                return JsonMapper.shared().readValue(value, OrderPlaced.class);
            } catch (JacksonException foreign) {
                return null;
            }
        }

        private void differs(String how, String what) {
            differences.computeIfAbsent(how, first -> new ArrayList<>()).add(what);
        }

        Published result() {
            long distinct = strangers.size();
            for (int number = 0; number < lines; number++) {
                distinct += onTopic[number] > 0 ? 1 : 0;
                if (onTopic[number] > 1) {
                    differs("published twice", orders.line(number).name());
                } else if (onTopic[number] == 0) {
                    differs("never published", orders.line(number).name());
                }
            }
            return new Published(records, distinct, Collections.unmodifiableMap(differences));
        }
    }
}
