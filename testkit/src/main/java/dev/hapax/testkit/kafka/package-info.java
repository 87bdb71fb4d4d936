/** A Kafka broker for tests. Needs {@code org.apache.kafka:kafka_2.13} on the class path, which the testkit doesn't bring. */
@NullMarked
package dev.hapax.testkit.kafka;

import org.jspecify.annotations.NullMarked;
