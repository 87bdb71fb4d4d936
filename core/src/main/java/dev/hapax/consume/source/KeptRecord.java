package dev.hapax.consume.source;

import java.time.Instant;

/**
 * What is kept of a record that could not be handled at once.
 *
 * @param partition where it was read
 * @param number its number there
 * @param publishedAt its time
 * @param body {@link SourceRecord#body()}
 * @param envelope {@link SourceRecord#envelope()}
 */
public record KeptRecord(SourcePartition partition, long number, Instant publishedAt, byte[] body, byte[] envelope) {}
