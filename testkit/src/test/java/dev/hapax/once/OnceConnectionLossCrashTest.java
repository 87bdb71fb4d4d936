package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A connection that is lost around the commit, where only the database knows how it ended. Effects are counted in the target. */
class OnceConnectionLossCrashTest {

    private static TestDatabase database;
    private static TcpProxy proxy;
    private static HikariDataSource pool;
    private static Hapax hapax;

    @BeforeAll
    static void open() {
        database = EmbeddedDatabase.shared().createDatabase();
        Shop.prepare(database);
        proxy = TcpProxy.to(database.server().port());
        pool = database.pooledAt(proxy.port(), 4);
        hapax = Shop.builder(pool).open();
    }

    @AfterAll
    static void close() {
        hapax.close();
        proxy.close();
        database.close();
    }

    private static long effects(Key key) throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect WHERE id = '" + key.id() + "'");
    }

    @Test
    void a_commit_that_went_through_unheard_is_not_repeated() throws SQLException {
        Key key = Shop.newKey();
        List<Integer> runs = new ArrayList<>();
        Result<String> result = hapax.once(key, String.class).call(tx -> {
            runs.add(1);
            Shop.effect(tx.connection(), key.id());
            if (runs.size() == 1) {
                proxy.cutAfterCommitSent();
            }
            return "answer " + runs.size();
        });
        proxy.disarm();
        assertThat(effects(key)).isEqualTo(1);
        assertThat(result.value()).isEqualTo("answer 1");
    }

    @Test
    void a_commit_that_never_arrived_is_done_again() throws SQLException {
        Key key = Shop.newKey();
        List<Integer> runs = new ArrayList<>();
        Result<String> result = hapax.once(key, String.class).call(tx -> {
            runs.add(1);
            Shop.effect(tx.connection(), key.id());
            if (runs.size() == 1) {
                proxy.cutBeforeCommitSent();
            }
            return "answer " + runs.size();
        });
        proxy.disarm();
        assertThat(runs).hasSize(2);
        assertThat(effects(key)).isEqualTo(1);
        assertThat(result).isEqualTo(new Result.Applied<>("answer 2"));
    }

    @Test
    void a_single_statement_whose_answer_is_lost_is_not_repeated() throws SQLException {
        Key key = Shop.newKey();
        proxy.cut(sql -> sql.contains("INSERT INTO effect"), TcpProxy.Moment.AFTER_ANSWERED);
        Result<Long> result =
                hapax.once(key).statement("INSERT INTO effect (id, amount) SELECT ?, 1 FROM once", key.id());
        proxy.disarm();
        assertThat(result).isEqualTo(new Result.Replayed<>(Optional.empty()));
        assertThat(effects(key)).isEqualTo(1);
    }

    @Test
    void without_a_database_the_caller_is_told_to_try_again_with_the_same_key() throws SQLException {
        Key key = Shop.newKey();
        List<Integer> runs = new ArrayList<>();
        try (HikariDataSource impatient = database.pooledAt(proxy.port(), 1)) {
            impatient.setConnectionTimeout(300);
            try (Hapax alone = Shop.builder(impatient).attempts(2).open()) {
                assertThatThrownBy(() -> alone.once(key).run(tx -> {
                            runs.add(1);
                            Shop.effect(tx.connection(), key.id());
                            proxy.cutAfterCommitSent();
                            proxy.refuse();
                        }))
                        .isInstanceOf(RetryException.class)
                        .hasMessageContaining(key.toString());
            } finally {
                proxy.disarm();
                proxy.admit();
            }
        }
        // Whether it had been committed or not, the same key settles it.
        hapax.once(key).run(tx -> Shop.effect(tx.connection(), key.id()));
        assertThat(effects(key)).isEqualTo(1);
    }
}
