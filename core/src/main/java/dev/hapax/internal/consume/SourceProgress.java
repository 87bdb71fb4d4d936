package dev.hapax.internal.consume;

import dev.hapax.internal.consume.SourceStore.Move;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Positions in partitions of a source, of one worker. Used by its thread alone. */
final class SourceProgress implements Progress {

    private final SourceStore store;
    private final List<PartitionShare> shares;

    /** @param shares those of the worker, as they are */
    SourceProgress(SourceStore store, List<PartitionShare> shares) {
        this.store = store;
        this.shares = shares;
    }

    @Override
    public Moves begin() {
        return new SourceMoves();
    }

    @Override
    public @Nullable Share shareOf(ReadMessage message) {
        if (message instanceof StreamMessage read) {
            return read.share;
        }
        for (PartitionShare share : shares) {
            if (share.holds(message.heldLane())) {
                return share;
            }
        }
        return null;
    }

    @Override
    public byte[] body(Connection connection, ReadMessage message) {
        return message.body();
    }

    private final class SourceMoves implements Moves {

        private final Map<Partition, Move> moves = new LinkedHashMap<>();

        @Override
        public void done(Share share, ReadMessage message) {
            StreamMessage read = (StreamMessage) message;
            Partition partition = read.share.partition;
            Move move = moves.computeIfAbsent(partition, Move::new);
            if (partition.done.isEmpty()) {
                move.ranges.add(read.from, read.number() + 1);
            } else {
                partition.done.addRest(read.from, read.number() + 1, move.ranges);
            }
        }

        @Override
        public void keep(Share share) {
            moves.computeIfAbsent(((PartitionShare) share).partition, Move::new);
        }

        @Override
        public boolean write(Connection connection) throws SQLException {
            return moves.isEmpty() || store.move(connection, List.copyOf(moves.values()));
        }

        @Override
        public void committed() {
            moves.values().forEach(Move::committed);
        }
    }
}
