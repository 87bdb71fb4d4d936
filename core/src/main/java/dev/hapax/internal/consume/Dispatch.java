package dev.hapax.internal.consume;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.consume.BatchHandler;
import dev.hapax.consume.Delivery;
import dev.hapax.consume.Handler;
import dev.hapax.consume.MessageTransaction;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.consume.Failures.BatchFailure;
import dev.hapax.internal.consume.Failures.MessageFailure;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.log.Message;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Tracing;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Decodes messages and calls the handlers that fit. Safe for use by many threads. */
final class Dispatch {

    /** Bodies of this size in all are handed to a handler of many at once, so that large ones don't fill the heap. */
    private static final long TOGETHER_BYTES = 4 << 20;

    private final String consumer;
    private final Codec codec;
    private final Tracing tracing;
    private final Set<String> topics;
    private final boolean all;
    private final Map<Class<?>, Target> handlers;
    private final Map<Class<?>, Target> byClass = new ConcurrentHashMap<>();
    private final BooleanSupplier overdue;

    /** @param overdue whether the time to stop is over */
    Dispatch(ConsumerSettings settings, ActiveTransaction.Shared shared, BooleanSupplier overdue) {
        this.overdue = overdue;
        this.consumer = settings.name();
        this.codec = shared.codec();
        this.tracing = shared.tracing();
        this.topics = Set.copyOf(settings.topics);
        this.all = settings.source != null;
        this.handlers = Map.copyOf(settings.handlers);
    }

    /** Trying again won't help. */
    static final class Undeliverable extends Exception {

        private static final long serialVersionUID = 1L;

        Undeliverable(String message) {
            super(message);
        }
    }

    /** Who handles messages of a type: one by one, or many at once. */
    sealed interface Target {

        record One(Handler<Object> handler) implements Target {}

        record Many(BatchHandler<Object> handler) implements Target {}
    }

    boolean isFor(ReadMessage message) {
        return all ? !message.isIgnored() : topics.contains(message.topic());
    }

    /** @throws SQLException the time to stop is over: the transaction is to be rolled back */
    void checkTime() throws SQLException {
        if (overdue.getAsBoolean()) {
            throw stopping(null);
        }
    }

    private static SQLException stopping(@Nullable Throwable cause) {
        return new SQLException("the consumer is stopping, and its time is over", "57P01", cause);
    }

    /** Begins to handle messages in a transaction. */
    Run run(ActiveTransaction tx) {
        return new Run(tx);
    }

    /** The messages of one transaction. Used by one thread. */
    final class Run {

        private final ActiveTransaction tx;
        private List<Delivery<Object>> gathered = new ArrayList<>();
        private @Nullable BatchHandler<Object> gatheredFor;
        private int firstIndex;
        private long gatheredBytes;

        private Run(ActiveTransaction tx) {
            this.tx = tx;
        }

        /**
         * Handles a message, or puts it to those that are handled together; messages of one key are handled in the order of the calls.
         *
         * @param index what a failure of it is told by
         */
        void handle(ReadMessage message, int index) throws SQLException, MessageFailure, BatchFailure {
            Object body;
            Target target;
            try {
                body = message.decode(codec);
                target = targetOf(body);
            } catch (IllegalArgumentException e) {
                throw new MessageFailure(index, new Undeliverable(String.valueOf(e.getMessage())));
            } catch (Undeliverable | RuntimeException | Error e) {
                // A codec that breaks its word, or can't be loaded, is as bad as a handler that fails.
                throw new MessageFailure(index, e);
            }
            switch (target) {
                case Target.One one -> {
                    end();
                    call(index, 1, message, () -> one.handler().handle(body, new Handled(tx, message, consumer)));
                }
                case Target.Many many -> gather(many.handler(), message, body, index);
            }
        }

        private void gather(BatchHandler<Object> handler, ReadMessage message, Object body, int index)
                throws SQLException, MessageFailure, BatchFailure {
            if (!handler.equals(gatheredFor) || gatheredBytes > TOGETHER_BYTES) {
                end();
                gatheredFor = handler;
                firstIndex = index;
            }
            gathered.add(new Gathered(body, message, consumer));
            gatheredBytes += message.size();
        }

        /** Handles what was put together. */
        void end() throws SQLException, MessageFailure, BatchFailure {
            BatchHandler<Object> handler = gatheredFor;
            if (handler == null) {
                return;
            }
            List<Delivery<Object>> deliveries = Collections.unmodifiableList(gathered);
            gathered = new ArrayList<>();
            gatheredFor = null;
            gatheredBytes = 0;
            call(firstIndex, deliveries.size(), deliveries.getFirst().message(), () -> handler.handle(deliveries, tx));
        }

        private void call(int index, int messages, Message first, Tracing.Work work)
                throws SQLException, MessageFailure, BatchFailure {
            checkTime();
            try {
                // A span has one parent: that of many messages continues none of their publishers'.
                String parent = messages == 1 ? first.traceparent().orElse(null) : null;
                tracing.handling(consumer, first.topic(), parent, work);
            } catch (Throwable failure) {
                if (overdue.getAsBoolean()) {
                    throw stopping(failure);
                }
                SQLException sql = SqlFaults.find(failure);
                // What the database did to the transaction is not the message's fault.
                if (sql != null && (SqlFaults.isRolledBack(sql) || SqlFaults.isOutage(sql))) {
                    throw sql;
                }
                if (messages > 1) {
                    throw new BatchFailure(failure);
                }
                throw new MessageFailure(index, failure);
            } finally {
                if (!overdue.getAsBoolean()) {
                    // One that the handler has brought upon itself: it must not end the thread, nor the next handler's
                    // wait.
                    Thread.interrupted();
                }
            }
        }
    }

    private Target targetOf(Object body) throws Undeliverable {
        Target known = byClass.get(body.getClass());
        if (known == null) {
            known = handlers.get(body.getClass());
            for (Map.Entry<Class<?>, Target> handler : handlers.entrySet()) {
                if (known == null && handler.getKey().isInstance(body)) {
                    known = handler.getValue();
                }
            }
            if (known == null) {
                throw new Undeliverable("consumer " + consumer + " has no handler for "
                        + body.getClass().getName());
            }
            byClass.put(body.getClass(), known);
        }
        return known;
    }

    /** What a handler of many sees of one message. */
    private static final class Gathered implements Delivery<Object> {

        private final Object body;
        private final ReadMessage message;
        private final String consumer;

        private Gathered(Object body, ReadMessage message, String consumer) {
            this.body = body;
            this.message = message;
            this.consumer = consumer;
        }

        @Override
        public Object body() {
            return body;
        }

        @Override
        public Message message() {
            return message;
        }

        @Override
        public Key key() {
            return message.handling(consumer);
        }
    }

    /** What a handler sees. The handling's key is made when it is asked for: most handlers don't. */
    private static final class Handled implements MessageTransaction {

        private final ActiveTransaction active;
        private final ReadMessage read;
        private final String consumer;
        private @Nullable Transaction operation;

        private Handled(ActiveTransaction active, ReadMessage read, String consumer) {
            this.active = active;
            this.read = read;
            this.consumer = consumer;
        }

        private Transaction operation() {
            Transaction made = operation;
            if (made == null) {
                made = active.of(read.handling(consumer));
                operation = made;
            }
            return made;
        }

        @Override
        public Message message() {
            return read;
        }

        @Override
        public Connection connection() {
            return active.connection();
        }

        @Override
        public Key key() {
            return operation().key();
        }

        @Override
        public void publish(String topic, String messageKey, Object body) {
            operation().publish(topic, messageKey, body);
        }

        @Override
        public void publishAt(Instant due, String topic, String messageKey, Object body) {
            operation().publishAt(due, topic, messageKey, body);
        }
    }
}
