/** Kafka beside the log: a relay that publishes exactly once, and a source whose position commits with the effect. */
@NullMarked
package dev.hapax.kafka;

import org.jspecify.annotations.NullMarked;
