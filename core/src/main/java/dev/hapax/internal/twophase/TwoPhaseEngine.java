package dev.hapax.internal.twophase;

import dev.hapax.DamagedException;
import dev.hapax.Key;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.internal.once.Settlements.WorkFailure;
import dev.hapax.once.Verdict;
import dev.hapax.spi.Metrics.Ending;
import dev.hapax.twophase.TwoPhaseEffect;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Applies one operation in the home database and in branches elsewhere.
 *
 * <p><strong>The order.</strong> In the home transaction: the marker, and beside it in the same statement the decision, a row under a token that is new for each try. Then the effect, in the
 * home transaction and in the branches. Then each branch is prepared. Then the home transaction is committed: <em>that</em> is the decision, and there is no other log. Then the branches are
 * committed.
 *
 * <p><strong>Recovery</strong> finds a prepared branch and wants to know whether its try was committed. The marker alone can't say: the try may have died and a later one, with another token
 * and branches of its own, may have written the same marker; to commit the old branch too would apply the effect twice. So it is the token that is asked for.
 *
 * <p><strong>Absence must be made, not seen.</strong> A decision that is not there <em>now</em> proves nothing: between prepare and commit a live owner's branches are prepared and its decision is
 * not visible. So nobody reads it. Recovery <em>writes</em> a row under the same token, a fence, and the unique index does the rest. The owner wrote its row before it prepared anything; so when
 * a prepared branch is seen, that row is in one of three states:
 *
 * <ul>
 *   <li>its transaction is open: the fence's insert waits for it, and gives up after a moment. The owner is alive, or the server has not ended its session yet; the branch is left alone;
 *   <li>it was committed: the insert conflicts, and the row says so. The branch is committed;
 *   <li>it was rolled back: the insert succeeds. The one transaction that could have decided is over, and the fence stays: should anything ever write that token again, it fails on the unique
 *       index. The branch is rolled back, but only after the fence is committed.
 * </ul>
 *
 * <p>That also settles a home commit whose answer was lost: the owner's own clean-up asks in the same way, after its connection is gone. It never concludes from an error.
 *
 * <p><strong>What is kept.</strong> Decisions are kept for 7 days after they are written, by whole days, whether or not the branches have ended: nothing is updated or deleted on the way, and a participant that
 * fails over to a replica which lost the end of a branch, but not its prepare, has it ended again in the same way. The branch's name holds the day. A branch whose day has been dropped is not
 * decided at all: it is reported, for a person.
 *
 * <p><strong>What is not promised.</strong> If the home fails over to a replica that lost the decision, branches that were committed stay, and the operation is applied again at home and there. Where that
 * can happen, the home must replicate synchronously.
 *
 * <p>Safe for use by many threads.
 */
final class TwoPhaseEngine {

    private final Settlements settlements;
    private final Decisions decisions;
    private final Settler settler;
    private final Runnable recoverSoon;
    private final UUID home;

    TwoPhaseEngine(Settlements settlements, Decisions decisions, Settler settler, UUID home, Runnable recoverSoon) {
        this.settlements = settlements;
        this.decisions = decisions;
        this.settler = settler;
        this.home = home;
        this.recoverSoon = recoverSoon;
    }

    Settlements settlements() {
        return settlements;
    }

    /**
     * The conditions of one call.
     *
     * @param fingerprint of the request, if it is to be compared
     * @param waitSeconds for another transaction on the same key
     */
    record Conditions(List<Sessions> participants, byte @Nullable [] fingerprint, int waitSeconds) {}

    Verdict run(Key key, Conditions conditions, TwoPhaseEffect<?> effect) {
        try {
            return settlements.counted(
                    key, () -> settlements.retried(key, () -> new Try(key, conditions, effect).run()));
        } catch (WorkFailure e) {
            throw Settlements.asThrown(e.thrown);
        }
    }

    /** One try. */
    private final class Try {

        private final Key key;
        private final Conditions conditions;
        private final TwoPhaseEffect<?> effect;
        private @Nullable OpenBranches branches;

        private Try(Key key, Conditions conditions, TwoPhaseEffect<?> effect) {
            this.key = key;
            this.conditions = conditions;
            this.effect = effect;
        }

        private Verdict run() throws SQLException {
            Verdict verdict;
            try {
                verdict = decide();
            } catch (Throwable failure) {
                cleanUp();
                throw failure;
            }
            OpenBranches open = branches;
            if (open != null) {
                commit(open);
            }
            settlements.metrics().once(key.scope(), verdict == Verdict.APPLIED ? Ending.APPLIED : Ending.REPLAYED, 1);
            return verdict;
        }

        /** Everything up to the decision, in the home transaction; when this is over, so is that. */
        private Verdict decide() throws SQLException {
            Marker marker = settlements.place(key);
            int today = decisions.today();
            BranchXid operation = new BranchXid(
                    home,
                    SystemSource.INSTANCE.newUuidV7(),
                    today,
                    marker.scope().id(),
                    marker.producer(),
                    marker.isTimeless() ? Integer.MIN_VALUE : (int) marker.day(),
                    BranchXid.hash(key.id()),
                    "");
            try (Connection connection = settlements.connections().borrow()) {
                boolean before = Connections.begin(connection);
                try {
                    return inside(connection, marker, operation);
                } catch (Throwable failure) {
                    Connections.rollback(connection, failure);
                    throw failure;
                } finally {
                    Connections.end(connection, before);
                }
            }
        }

        private Verdict inside(Connection connection, Marker marker, BranchXid operation) throws SQLException {
            if (!decisions.mark(
                    connection,
                    new Settlements.Marking(marker, conditions.fingerprint, conditions.waitSeconds),
                    operation)) {
                settlements.checkSameRequest(connection, marker, conditions.fingerprint);
                connection.commit();
                return Verdict.REPLAYED;
            }
            OpenBranches open = OpenBranches.start(conditions.participants, operation);
            branches = open;
            settlements.workAndCommit(connection, tx -> effect.apply(tx.of(key), open), open::prepare);
            return Verdict.APPLIED;
        }

        /** The home transaction is over, and did not tell that it was committed. Where branches are prepared, only the decision itself may say how it ended. */
        private void cleanUp() {
            OpenBranches open = branches;
            if (open == null) {
                return;
            }
            boolean prepared = open.isPrepared();
            open.end((resource, xid) -> settler.settle(resource, xid) == Settler.Settled.ENDED);
            if (prepared) {
                recoverSoon.run();
            }
        }

        /** It is decided. What can't be committed now is committed by recovery. */
        private void commit(OpenBranches open) {
            StringBuilder damage = new StringBuilder();
            open.end((resource, xid) -> {
                Settler.Settled settled = settler.commit(resource, xid);
                if (settled == Settler.Settled.HEURISTIC) {
                    damage.append(damage.isEmpty() ? "" : ", ").append(xid.participant());
                } else if (settled == Settler.Settled.LEFT) {
                    recoverSoon.run();
                }
                return settled == Settler.Settled.ENDED;
            });
            if (!damage.isEmpty()) {
                throw new DamagedException(
                        "key " + key
                                + " is applied and committed, but the participant has ended the branch on its own in another way: "
                                + damage + ". ./hapax twophase list shows it; it waits for a person",
                        null);
            }
        }
    }
}
