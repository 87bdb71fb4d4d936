package dev.hapax.internal.twophase;

import dev.hapax.internal.Checks;
import dev.hapax.twophase.Branches;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The branches of one try. Used by one thread. */
final class OpenBranches implements Branches {

    private static final Logger LOG = LoggerFactory.getLogger(OpenBranches.class);

    private final List<Branch> branches = new ArrayList<>();

    /** Where a branch stands, as its owner knows it. */
    private enum Stage {
        STARTED,
        /** It was told to prepare; whether it did may be unknown. */
        PREPARED,
        /** There is nothing more to do: it only read, or it has ended. */
        ENDED
    }

    private static final class Branch {

        private final Sessions sessions;
        private final Sessions.Lent session;
        private final BranchXid xid;
        private Stage stage = Stage.STARTED;

        private Branch(Sessions sessions, Sessions.Lent session, BranchXid xid) {
            this.sessions = sessions;
            this.session = session;
            this.xid = xid;
        }

        private SQLException failed(XAException e) {
            session.discard();
            return XaFaults.asSql(sessions.name(), e);
        }
    }

    /** Begins a branch in each participant. */
    static OpenBranches start(List<Sessions> participants, BranchXid operation) throws SQLException {
        OpenBranches open = new OpenBranches();
        try {
            for (Sessions sessions : participants) {
                sessions.prove(operation.home(), operation.day());
                Branch branch = new Branch(sessions, sessions.borrow(), operation.in(sessions.name()));
                try {
                    branch.session.resource().start(branch.xid, XAResource.TMNOFLAGS);
                } catch (XAException e) {
                    throw branch.failed(e);
                }
                open.branches.add(branch);
            }
            return open;
        } catch (Throwable failure) {
            open.rollBackStarted();
            throw failure;
        }
    }

    private Branch find(String participant) {
        return branches.stream()
                .filter(branch -> branch.sessions.name().equals(participant))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("this operation has no branch in " + participant
                        + "; name it by with(\"" + participant + "\")"));
    }

    @Override
    public Connection connection(String participant) {
        return handle(participant, Connection.class);
    }

    @Override
    public <T> T handle(String participant, Class<T> type) {
        Object handle = find(participant).session.handle();
        Checks.that(
                type.isInstance(handle),
                "what branch %s works with is a %s and no %s",
                participant,
                handle.getClass().getName(),
                type.getName());
        return type.cast(handle);
    }

    /** Prepares all. From here on nothing of this may be lost: what was told to prepare is ended by decision only. */
    void prepare() throws SQLException {
        for (Branch branch : branches) {
            try {
                branch.session.resource().end(branch.xid, XAResource.TMSUCCESS);
                branch.stage = Stage.PREPARED;
                if (branch.session.resource().prepare(branch.xid) == XAResource.XA_RDONLY) {
                    branch.stage = Stage.ENDED;
                }
            } catch (XAException e) {
                throw branch.failed(e);
            }
        }
    }

    /** Whether any was told to prepare. */
    boolean isPrepared() {
        return branches.stream().anyMatch(branch -> branch.stage == Stage.PREPARED);
    }

    /** Ends a prepared branch on its own session. */
    @FunctionalInterface
    interface Ending {
        /** Returns whether it has ended. */
        boolean end(XAResource resource, BranchXid xid);
    }

    /** Ends those that are prepared, as it was decided, and rolls the others back. */
    void end(Ending ending) {
        for (Branch branch : branches) {
            if (branch.stage == Stage.PREPARED) {
                if (ending.end(branch.session.resource(), branch.xid)) {
                    branch.stage = Stage.ENDED;
                } else {
                    branch.session.discard();
                }
            }
        }
        rollBackStarted();
    }

    /** Rolls back what is not prepared, and gives all sessions back. */
    void rollBackStarted() {
        for (Branch branch : branches) {
            if (branch.stage == Stage.STARTED) {
                rollBack(branch);
            }
            branch.session.giveBack();
        }
    }

    private static void rollBack(Branch branch) {
        try {
            branch.session.resource().end(branch.xid, XAResource.TMFAIL);
            branch.session.resource().rollback(branch.xid);
        } catch (XAException | RuntimeException e) {
            LOG.debug("branch {} is rolled back with its session", branch.sessions.name(), e);
            branch.session.discard();
        }
    }
}
