package dev.hapax.internal.consume;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.consume.Handler;
import dev.hapax.consume.MessageTransaction;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.log.Message;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Tracing;
import java.sql.Connection;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Decodes a message and calls the handler that fits. Safe for use by many threads. */
final class Dispatch {

    private final String consumer;
    private final Codec codec;
    private final Tracing tracing;
    private final Set<String> topics;
    private final Map<Class<?>, Handler<?>> handlers;
    private final Map<Class<?>, Handler<?>> byClass = new ConcurrentHashMap<>();

    Dispatch(ConsumerSettings settings, ActiveTransaction.Shared shared) {
        this.consumer = settings.name();
        this.codec = shared.codec();
        this.tracing = shared.tracing();
        this.topics = Set.copyOf(settings.topics);
        this.handlers = Map.copyOf(settings.handlers);
    }

    /** Trying again won't help. */
    static final class Undeliverable extends Exception {

        private static final long serialVersionUID = 1L;

        Undeliverable(String message) {
            super(message);
        }
    }

    boolean isFor(StoredMessage message) {
        return topics.contains(message.topic());
    }

    void handle(StoredMessage message, ActiveTransaction tx) throws Exception {
        Object body = decode(message);
        Handler<Object> handler = handlerOf(body);
        tracing.handling(
                consumer,
                message.topic(),
                message.traceparent().orElse(null),
                () -> handler.handle(body, new Handled(tx, message, consumer)));
    }

    private Object decode(StoredMessage message) throws Undeliverable {
        try {
            return codec.decode(message.type(), message.body(), Object.class);
        } catch (IllegalArgumentException e) {
            throw new Undeliverable(String.valueOf(e.getMessage()));
        }
    }

    @SuppressWarnings("unchecked")
    private Handler<Object> handlerOf(Object body) throws Undeliverable {
        Handler<?> known = byClass.get(body.getClass());
        if (known == null) {
            known = handlers.get(body.getClass());
            for (Map.Entry<Class<?>, Handler<?>> handler : handlers.entrySet()) {
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
        return (Handler<Object>) known;
    }

    /** What a handler sees. The handling's key is made when it is asked for: most handlers don't. */
    private static final class Handled implements MessageTransaction {

        private final ActiveTransaction active;
        private final StoredMessage stored;
        private final String consumer;
        private @Nullable Transaction operation;

        private Handled(ActiveTransaction active, StoredMessage stored, String consumer) {
            this.active = active;
            this.stored = stored;
            this.consumer = consumer;
        }

        private Transaction operation() {
            Transaction made = operation;
            if (made == null) {
                made = active.of(stored.handling(consumer));
                operation = made;
            }
            return made;
        }

        @Override
        public Message message() {
            return stored;
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
