package dev.hapax.kafka;

import dev.hapax.internal.consume.LaneMark;
import dev.hapax.log.Message;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Where a relay publishes to, from one connection to the broker to the next. Used by one thread. */
interface Output extends AutoCloseable {

    /** A message that the broker will never take as it is. */
    record Refusal(Message message, String reason) {}

    /**
     * How a batch ended.
     *
     * @param refused those that were refused; none if all was published
     * @param unsent those that were not sent because of them
     */
    record Result(List<Refusal> refused, List<Message> unsent) {

        static final Result ALL = new Result(List.of(), List.of());
    }

    /** Another process has taken over; nothing of this one will be committed any more. */
    final class Superseded extends RuntimeException {

        private static final long serialVersionUID = 1L;

        Superseded(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Publishes all of them, and returns when it is certain.
     *
     * @param marks where the lanes are then
     * @param settled messages that had been set aside, were published, and are known to be by the database
     * @param meanwhile done once while the broker works
     * @return what was published; if something was refused, the marks are not kept yet
     * @throws Superseded if another process has taken over
     * @throws RuntimeException if nobody knows what was published: this output is of no more use
     */
    Result publish(List<Message> messages, List<LaneMark> marks, List<UUID> settled, Runnable meanwhile);

    /**
     * Publishes one that had been set aside, and says so for as long as the database doesn't know.
     *
     * @param marks where its lane is, with it
     */
    Result publishHeld(Message message, List<LaneMark> marks);

    /** Whether nothing of a batch was published in which something was refused, and another output must be made. */
    boolean isUsedUpByRefusals();

    /** Leaves at once what is not done. */
    @Override
    void close();
}
