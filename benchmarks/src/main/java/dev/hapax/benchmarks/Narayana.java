package dev.hapax.benchmarks;

import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.common.internal.util.propertyservice.BeanPopulator;
import jakarta.transaction.Transaction;
import jakarta.transaction.TransactionManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.stream.Stream;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;

/**
 * A transaction manager with its log in files, as it comes: both databases are prepared, the decision is forced to its object store, both are committed. It keeps its connections, as a pool would. Safe for use
 * by many threads.
 */
final class Narayana implements AutoCloseable {

    private final Path store;
    private final TransactionManager manager;
    private final Pool home;
    private final Pool branch;

    private Narayana(Path store, XADataSource home, XADataSource branch) {
        this.store = store;
        this.manager = com.arjuna.ats.jta.TransactionManager.transactionManager();
        this.home = new Pool(home);
        this.branch = new Pool(branch);
    }

    static Narayana open(XADataSource home, XADataSource branch) throws IOException {
        Path store = Files.createTempDirectory("hapax-narayana");
        for (@Nullable String name : new @Nullable String[] {null, "communicationStore", "stateStore"}) {
            ObjectStoreEnvironmentBean bean = name == null
                    ? BeanPopulator.getDefaultInstance(ObjectStoreEnvironmentBean.class)
                    : BeanPopulator.getNamedInstance(ObjectStoreEnvironmentBean.class, name);
            bean.setObjectStoreDir(store.toString());
        }
        return new Narayana(store, home, branch);
    }

    /** What is done in both databases. */
    @FunctionalInterface
    interface Work {
        boolean apply(Connection home, Connection branch) throws SQLException;
    }

    boolean run(Work work) throws Exception {
        Kept one = home.take();
        Kept other = branch.take();
        manager.begin();
        boolean fresh;
        try {
            Transaction transaction = manager.getTransaction();
            transaction.enlistResource(one.resource);
            transaction.enlistResource(other.resource);
            fresh = work.apply(one.connection, other.connection);
            transaction.delistResource(one.resource, XAResource.TMSUCCESS);
            transaction.delistResource(other.resource, XAResource.TMSUCCESS);
        } catch (Throwable failure) {
            manager.rollback();
            throw failure;
        }
        manager.commit();
        home.give(one);
        branch.give(other);
        return fresh;
    }

    /** A connection with its resource. */
    private record Kept(XAConnection owner, Connection connection, XAResource resource) {}

    private static final class Pool {

        private final XADataSource source;
        private final Deque<Kept> idle = new ArrayDeque<>();

        private Pool(XADataSource source) {
            this.source = source;
        }

        private Kept take() throws SQLException {
            synchronized (idle) {
                Kept kept = idle.poll();
                if (kept != null) {
                    return kept;
                }
            }
            XAConnection owner = source.getXAConnection();
            return new Kept(owner, owner.getConnection(), owner.getXAResource());
        }

        private void give(Kept kept) {
            synchronized (idle) {
                idle.push(kept);
            }
        }

        private void close() throws SQLException {
            synchronized (idle) {
                for (Kept kept : idle) {
                    kept.owner.close();
                }
                idle.clear();
            }
        }
    }

    @Override
    public void close() throws Exception {
        home.close();
        branch.close();
        try (Stream<Path> files = Files.walk(store)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
