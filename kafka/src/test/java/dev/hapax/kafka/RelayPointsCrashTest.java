package dev.hapax.kafka;

import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A relay whose process dies, or is not answered, at its points: each message is on the topic once. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class RelayPointsCrashTest {

    /** Sends and commits of the broker, moves of the database's copy of the position. */
    private static final Pattern DECISIVE = Pattern.compile("Producer\\.(send|commitTransaction)|SET low");

    @Test
    void a_relay_publishes_once_whatever_fails_at_any_point() {
        KafkaPoints.prove(KafkaPoints.faults(DECISIVE), KafkaScenarios.relay());
    }
}
