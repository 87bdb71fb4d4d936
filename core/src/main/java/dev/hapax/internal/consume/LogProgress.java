package dev.hapax.internal.consume;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Positions in the lanes of the log, of one worker. Used by its thread alone. */
final class LogProgress implements Progress {

    private final PositionStore positions;
    private final Map<Short, Lane> lanes;

    /** @param lanes those of the worker, as they are */
    LogProgress(PositionStore positions, Map<Short, Lane> lanes) {
        this.positions = positions;
        this.lanes = lanes;
    }

    @Override
    public LogMoves begin() {
        return new LogMoves();
    }

    @Override
    public @Nullable Share shareOf(ReadMessage message) {
        return lanes.get((short) message.heldLane());
    }

    @Override
    public byte[] body(Connection connection, ReadMessage message) throws SQLException {
        return LogReader.body(connection, message);
    }

    /** The positions that one transaction moves. */
    final class LogMoves implements Moves {

        private final Map<Lane, Position> moved = new LinkedHashMap<>();

        @Override
        public void done(Share share, ReadMessage message) {
            moved.computeIfAbsent((Lane) share, lane -> lane.position.copy()).done(message.number());
        }

        @Override
        public void keep(Share share) {
            Lane lane = (Lane) share;
            moved.putIfAbsent(lane, lane.position);
        }

        void moveTo(Lane lane, Position position) {
            moved.put(lane, position);
        }

        @Override
        public boolean write(Connection connection) throws SQLException {
            return moved.isEmpty()
                    || positions.move(connection, List.copyOf(moved.keySet()), List.copyOf(moved.values()));
        }

        @Override
        public void committed() {
            moved.forEach((lane, position) -> lane.position = position);
        }
    }
}
