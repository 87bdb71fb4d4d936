package dev.hapax.examples.demo;

import dev.hapax.examples.stage.ShopBroker;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the shop of a run stands on.
 *
 * @param naive whether shop and billing do without Hapax
 * @param data where the run is kept; null for a folder that is deleted at the end
 * @param between what carries messages from the shop to billing
 */
record Staging(boolean naive, @Nullable Path data, Between between) {

    /** Of a run that is kept nowhere, without a broker. */
    static final Staging PLAIN = new Staging(false, null, new Between.Log());

    /** What carries messages from the shop to billing. */
    sealed interface Between {

        /** The log in the database: billing reads it there. */
        record Log() implements Between {}

        /** A Kafka of the run's own, in a process that can be killed. */
        record OwnKafka() implements Between {}

        /**
         * A Kafka that is there.
         *
         * @param servers as {@code bootstrap.servers}
         * @param properties of Kafka's clients; null for none
         */
        record Kafka(String servers, @Nullable Path properties) implements Between {}
    }

    /** Starts the broker, or finds the one that is there; null if there is to be none. */
    @Nullable
    ShopBroker broker() throws InterruptedException {
        return switch (between) {
            case Between.Log log -> null;
            case Between.OwnKafka kafka -> ShopBroker.embedded(data);
            case Between.Kafka kafka -> ShopBroker.at(kafka.servers(), kafka.properties());
        };
    }
}
