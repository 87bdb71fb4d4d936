package dev.hapax.internal.consume;

import dev.hapax.log.Message;
import java.util.List;

/**
 * What a relay publishes next, and where its lanes are when it has.
 *
 * @param messages in this order; those of one key in the order of the log
 * @param marks of the lanes that have moved since the last batch
 * @param rows how many messages of any topic were read
 * @param more whether there is more to read at once
 * @param breaks what shows that the log is not the one that was known; then there are no messages
 */
public record FeedBatch(
        List<Message> messages, List<LaneMark> marks, int rows, boolean more, List<HistoryBreak> breaks) {

    static FeedBatch broken(List<HistoryBreak> breaks) {
        return new FeedBatch(List.of(), List.of(), 0, false, breaks);
    }
}
