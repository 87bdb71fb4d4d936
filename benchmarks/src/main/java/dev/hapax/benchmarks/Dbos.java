package dev.hapax.benchmarks;

import dev.dbos.transact.DBOS;
import dev.dbos.transact.config.DBOSConfig;
import dev.dbos.transact.context.WorkflowOptions;
import dev.dbos.transact.txstep.JdbcStepFactory;
import dev.dbos.transact.workflow.Workflow;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * DBOS Transact for Java as it comes, with its tables in the same database and by way of the same pool. Its steps are of two kinds: a transactional step commits its result with the effect, so that the effect is
 * there once; a plain one records its result afterwards, so that a crash in between does the effect again. Safe for use by many threads.
 */
final class Dbos implements AutoCloseable {

    private final DBOS dbos;
    private final Sagas sagas;

    private Dbos(DBOS dbos, Sagas sagas) {
        this.dbos = dbos;
        this.sagas = sagas;
    }

    static Dbos open(DataSource pool) {
        DBOS dbos = new DBOS(DBOSConfig.defaults("bench").withDataSource(pool));
        Sagas sagas = dbos.registerProxy(Sagas.class, new ThreeSteps(dbos, pool, new JdbcStepFactory(dbos, pool)));
        dbos.launch();
        return new Dbos(dbos, sagas);
    }

    static String version() {
        return DBOS.version();
    }

    void transactional(String side, String id) {
        try (WorkflowOptions.Guard named = new WorkflowOptions(id).setContext()) {
            sagas.transactional(side, id);
        }
    }

    void plain(String side, String id) {
        try (WorkflowOptions.Guard named = new WorkflowOptions(id).setContext()) {
            sagas.plain(side, id);
        }
    }

    @Override
    public void close() {
        dbos.close();
    }

    /** What it calls by its proxy. */
    private interface Sagas {

        void transactional(String side, String id);

        void plain(String side, String id);
    }

    private record ThreeSteps(DBOS dbos, DataSource pool, JdbcStepFactory steps) implements Sagas {

        @Workflow(name = "transactional")
        @Override
        public void transactional(String side, String id) {
            transactionalStep("one", side, id);
            transactionalStep("two", side, id);
            transactionalStep("three", side, id);
        }

        private void transactionalStep(String name, String side, String id) {
            try {
                steps.txStep(
                        (Connection connection) -> {
                            Payments.effect(connection, side, id);
                        },
                        name);
            } catch (SQLException failure) {
                throw new IllegalStateException("a step failed", failure);
            }
        }

        @Workflow(name = "plain")
        @Override
        public void plain(String side, String id) {
            plainStep("one", side, id);
            plainStep("two", side, id);
            plainStep("three", side, id);
        }

        private void plainStep(String name, String side, String id) {
            try {
                dbos.runStep(
                        () -> {
                            try (Connection connection = pool.getConnection()) {
                                Payments.effect(connection, side, id);
                            }
                        },
                        name);
            } catch (SQLException failure) {
                throw new IllegalStateException("a step failed", failure);
            }
        }
    }
}
