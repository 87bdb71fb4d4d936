package dev.hapax.examples.shop;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.kafka.KafkaRelay;
import java.util.Objects;

/**
 * A relay process: publishes the shop's messages to Kafka, exactly once. Arguments: those of a {@link Worker}. Prints {@code ready} when it works.
 *
 * <p>Thread-safe.
 */
public final class RelayWorker implements AutoCloseable {
    /** The relay's name, under which its position is kept. */
    public static final String RELAY = "shop-relay";

    private static final int CONNECTIONS = 4;

    private final HikariDataSource pool;
    private final Hapax hapax;
    private final KafkaRelay relay;

    /**
     * Begins to publish.
     *
     * @param worker the database, and the broker
     */
    public RelayWorker(Worker worker) {
        BrokerAccess broker = Objects.requireNonNull(worker.broker(), "a relay needs a broker");
        this.pool = worker.pool(CONNECTIONS);
        this.hapax = Hapax.on(pool)
                .name("relay")
                .codec(Worker.codec())
                .clock(worker.clock())
                .open();
        this.relay = KafkaRelay.of(hapax, RELAY)
                .topic(OrderPlaced.TOPIC, broker.topic())
                .producer(broker.properties())
                .positionTopic(BrokerAccess.POSITIONS)
                .replication(broker.replication())
                .start();
    }

    /**
     * Runs until SIGTERM, or until the process that started it is gone.
     *
     * @param args as {@link Worker#arguments()} gives them
     */
    public static void main(String[] args) {
        RelayWorker worker = new RelayWorker(Worker.begin(args));
        Worker.atTheEnd(worker::close);
        Worker.ready("relay");
    }

    /** Finishes the transaction that it has begun, then stops. */
    @Override
    public void close() {
        relay.close();
        hapax.close();
        pool.close();
    }
}
