package dev.hapax.internal.consume;

import dev.hapax.Key;
import dev.hapax.consume.source.SourceRecord;
import dev.hapax.spi.Codec;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** A record of a source, on its way to a handler for the first time. */
final class StreamMessage extends ReadMessage {

    private final SourceRecord record;
    final PartitionShare share;

    /** Numbers from here up to the record's own are done with it: those between it and the record before hold nothing. */
    final long from;

    StreamMessage(SourceRecord record, PartitionShare share, long from) {
        this.record = record;
        this.share = share;
        this.from = from;
    }

    SourceRecord record() {
        return record;
    }

    @Override
    int heldLane() {
        return Partition.heldLane(share.partition.row, messageKey());
    }

    @Override
    Optional<Instant> operationTime() {
        return record.operationTime();
    }

    @Override
    boolean isIgnored() {
        return record.isIgnored();
    }

    @Override
    int size() {
        return record.size();
    }

    @Override
    Object decode(Codec codec) {
        return record.decode(codec);
    }

    @Override
    public UUID id() {
        return record.id();
    }

    @Override
    public String topic() {
        return record.topic();
    }

    @Override
    public String messageKey() {
        return record.messageKey();
    }

    @Override
    public String type() {
        return record.type();
    }

    @Override
    public byte[] body() {
        return record.body();
    }

    @Override
    public Key operation() {
        return record.operation();
    }

    @Override
    public Instant publishedAt() {
        return record.publishedAt();
    }

    @Override
    public int lane() {
        return record.lane();
    }

    @Override
    public long number() {
        return record.number();
    }

    @Override
    public Optional<String> traceparent() {
        return record.traceparent();
    }

    @Override
    public int attempt() {
        return 1;
    }

    @Override
    public <T> Optional<T> unwrap(Class<T> type) {
        return record.unwrap(type);
    }

    @Override
    public String toString() {
        return topic() + "/" + lane() + " at " + number() + " (" + id() + ")";
    }
}
