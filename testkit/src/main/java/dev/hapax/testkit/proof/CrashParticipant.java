package dev.hapax.testkit.proof;

import dev.hapax.testkit.proof.Point.Side;
import dev.hapax.twophase.Participant;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;

/** A resource of a simulated process: preparing and ending a branch are points, and its sessions end with the process. Safe for use by many threads. */
record CrashParticipant(Node node, Participant real) implements Participant {

    @Override
    public Session open() throws Exception {
        node.checkAlive();
        Session session = real.open();
        node.owns(session);
        return new Open(node, session, new Resource(node, session.resource()));
    }

    private record Open(Node node, Session real, XAResource resource) implements Session {

        @Override
        public Object handle() {
            return real.handle();
        }

        @Override
        public void close() throws Exception {
            node.checkAlive();
            node.ownsNoLonger(real);
            real.close();
        }
    }

    /** What a boundary lies around. */
    @FunctionalInterface
    private interface Call {
        int run() throws XAException;
    }

    private record Resource(Node node, XAResource real) implements XAResource {

        private int pass(String label, Call call) throws XAException {
            node.pass(Side.BEFORE, "before " + label);
            int result = call.run();
            node.pass(Side.AFTER, "after " + label);
            return result;
        }

        @Override
        public int prepare(Xid xid) throws XAException {
            return pass("prepare a branch", () -> real.prepare(xid));
        }

        @Override
        public void commit(Xid xid, boolean onePhase) throws XAException {
            pass("commit a branch", () -> {
                real.commit(xid, onePhase);
                return XA_OK;
            });
        }

        @Override
        public void rollback(Xid xid) throws XAException {
            pass("roll a branch back", () -> {
                real.rollback(xid);
                return XA_OK;
            });
        }

        @Override
        public void start(Xid xid, int flags) throws XAException {
            node.checkAlive();
            real.start(xid, flags);
        }

        @Override
        public void end(Xid xid, int flags) throws XAException {
            node.checkAlive();
            real.end(xid, flags);
        }

        @Override
        public void forget(Xid xid) throws XAException {
            node.checkAlive();
            real.forget(xid);
        }

        @Override
        public Xid[] recover(int flag) throws XAException {
            node.checkAlive();
            return real.recover(flag);
        }

        @Override
        public boolean isSameRM(XAResource other) throws XAException {
            return real.isSameRM(other);
        }

        @Override
        public int getTransactionTimeout() throws XAException {
            return real.getTransactionTimeout();
        }

        @Override
        public boolean setTransactionTimeout(int seconds) throws XAException {
            return real.setTransactionTimeout(seconds);
        }
    }
}
