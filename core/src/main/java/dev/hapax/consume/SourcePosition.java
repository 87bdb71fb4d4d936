package dev.hapax.consume;

import dev.hapax.consume.source.SourcePartition;
import java.util.Optional;
import java.util.UUID;

/**
 * How far a consumer has come in a partition of its source.
 *
 * @param next the first number that is not done
 * @param end the end of the partition, as a reader last saw it
 * @param topic which topic the position belongs to, beside its name; empty: the one that is there when it is next read
 * @param deduplicates whether repeats are told by their key as well, so that numbers may be read again
 * @param stopped why it is not read until someone says where to go on; empty if it is
 */
public record SourcePosition(
        SourcePartition partition,
        long next,
        long end,
        Optional<UUID> topic,
        boolean deduplicates,
        Optional<String> stopped) {}
