package dev.hapax.consume.source;

import java.util.List;
import java.util.Map;

/**
 * What one poll gave.
 *
 * @param records by number within each partition; a partition's records follow one another without one between that was skipped
 * @param missing partitions whose next record is not there: it has been removed, or never was; and what is there instead, for people
 */
public record SourceBatch(List<? extends SourceRecord> records, Map<SourcePartition, String> missing) {}
