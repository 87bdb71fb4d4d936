package dev.hapax.kafka;

import dev.hapax.Hapax;
import dev.hapax.consume.Consumer.Lag;
import java.time.Duration;
import java.util.Optional;

/**
 * Publishes the log to Kafka.
 *
 * <p>Guaranteed in the mode {@link Mode#EXACTLY_ONCE}: a consumer that reads committed records sees each message of the log once, and those of one message key in the order of the log, whatever is
 * killed, cut off or started twice. Not promised: that consumers which read uncommitted records don't see records of transactions that were aborted.
 *
 * <p>One process of those that start a relay of one name publishes; the others stand by, and one of them goes on within the lease when it is gone. Safe for use by many threads.
 */
public interface KafkaRelay extends AutoCloseable {

    /**
     * Begins the settings of a relay.
     *
     * @param hapax the service whose log is published; to be closed after the relay
     * @param name what its position is kept under, for ever: 1 to 100 letters, digits, {@code . _ -} or {@code /}
     */
    static KafkaRelayBuilder of(Hapax hapax, String name) {
        return new RelaySettings(hapax, name);
    }

    /** What a crash can do to what is published. */
    enum Mode {
        /** Nothing: each batch is a Kafka transaction that also keeps the position, and the position is read back from there. */
        EXACTLY_ONCE,
        /** The last batch may be published again, with the same ids: an idempotent producer, and the position in the database after the acknowledgement. */
        AT_LEAST_ONCE
    }

    /** What it is doing. */
    enum State {
        /** Another process is the relay. */
        STANDBY,
        /** It makes itself known to the broker and reads back where it was; {@link #problem()} says what keeps it from that. */
        CONNECTING,
        /** It publishes. */
        RUNNING,
        /** The log is not the one that it has published; see {@link dev.hapax.consume.Relays}. */
        HALTED,
        /** It has been stopped. */
        STOPPED
    }

    String name();

    State state();

    /** What keeps it from publishing, in words for the person who is on call. */
    Optional<String> problem();

    /** How far it is behind, as last measured (about once a second), also while the broker is away; nothing while another process is the relay. */
    Lag lag();

    /**
     * Stops: a batch in flight is committed within the time, or left to be aborted; the next process goes on at once.
     *
     * @return whether it ended within the time
     */
    boolean stop(Duration within);

    /** Stops within 10 seconds. */
    @Override
    void close();
}
