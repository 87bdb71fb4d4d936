package dev.hapax.once;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.HapaxException;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.StoreException;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a caller is told when the answer to a commit was lost, and the next try meets something else. Effects are counted in the target. */
class OnceInDoubtCrashTest {

    private TestDatabase database;
    private TcpProxy proxy;
    private HikariDataSource pool;
    private Hapax hapax;

    @BeforeEach
    void open() {
        database = Shop.prepared();
        proxy = TcpProxy.to(database.server().port());
        pool = database.pooledAt(proxy.port(), 2);
        hapax = Shop.builder(pool).housekeeping(false).open();
    }

    @AfterEach
    void close() {
        hapax.close();
        proxy.close();
        database.close();
    }

    private long effects(Key key) throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect WHERE id = '" + key.id() + "'");
    }

    /** Makes commits of effects wait for whoever holds the lock. */
    private Connection holdCommits() throws SQLException {
        database.execute("""
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON effect DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION hold()""");
        Connection holder = database.dataSource().getConnection();
        try (Statement statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(4711)");
        }
        return holder;
    }

    private void isNotToldThatNothingWasDone(Function<Once, Once> condition) throws SQLException {
        Key key = Shop.newKey();
        List<Integer> runs = new ArrayList<>();
        Connection holder = holdCommits();
        try (holder) {
            assertThatThrownBy(() -> condition.apply(hapax.once(key)).run(tx -> {
                        runs.add(1);
                        Shop.effect(tx.connection(), key.id());
                        proxy.cutAfterCommitSent();
                    }))
                    .isInstanceOf(RetryException.class)
                    .hasMessageContaining("not known")
                    .hasMessageContaining(key.toString());
            assertThat(runs).hasSize(1);
            assertThat(effects(key)).isZero();
        }
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(effects(key)).isEqualTo(1));
        assertThat(hapax.once(key).run(tx -> Shop.effect(tx.connection(), key.id())))
                .isEqualTo(Verdict.REPLAYED);
        assertThat(effects(key)).isEqualTo(1);
    }

    @Test
    void who_does_not_wait_is_not_told_that_nothing_was_done_while_the_lost_commit_goes_on() throws SQLException {
        isNotToldThatNothingWasDone(Once::refuseIfInProgress);
    }

    @Test
    void who_has_waited_long_enough_is_not_told_that_nothing_was_done_while_the_lost_commit_goes_on()
            throws SQLException {
        isNotToldThatNothingWasDone(once -> once.waitUpTo(Duration.ofSeconds(1)));
    }

    @Test
    void a_batch_is_not_told_that_nothing_was_done_while_its_lost_commit_goes_on() throws SQLException {
        Key key = Shop.newKey();
        try (Connection holder = holdCommits()) {
            assertThat(holder.isClosed()).isFalse();
            assertThatThrownBy(() -> hapax.onceAll(List.of(key, Shop.newKey()), k -> k)
                            .waitUpTo(Duration.ofSeconds(1))
                            .run((fresh, tx) -> {
                                Shop.effect(tx.connection(), key.id());
                                proxy.cutAfterCommitSent();
                            }))
                    .isInstanceOf(RetryException.class);
        }
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(effects(key)).isEqualTo(1));
    }

    /** Applies the key once with its answer lost, and gives what the caller is told. */
    private HapaxException lost(Key key, String beforeTheCommit) {
        List<HapaxException> told = new ArrayList<>();
        assertThatThrownBy(() -> hapax.once(key).run(tx -> {
                    Shop.effect(tx.connection(), key.id());
                    database.execute(beforeTheCommit);
                    proxy.cutAfterCommitSent();
                }))
                .isInstanceOfSatisfying(HapaxException.class, told::add);
        return told.getFirst();
    }

    @Test
    void a_refusal_by_the_database_is_not_taken_for_the_end_of_a_lost_commit() throws SQLException {
        database.execute("""
                CREATE TABLE disk (is_full boolean);
                CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF EXISTS (SELECT FROM disk) THEN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END IF;
                    RETURN NEW; END $$;
                CREATE TRIGGER fill BEFORE INSERT ON hapax.marker_timeless FOR EACH ROW EXECUTE FUNCTION fill()""");
        Key key = Key.of("orders", Shop.newId());
        assertThat(lost(key, "INSERT INTO disk VALUES (true)"))
                .isInstanceOf(RetryException.class)
                .hasMessageContaining("not known");
        assertThat(effects(key)).isEqualTo(1);
        assertThatThrownBy(() -> hapax.once(Key.of("orders", Shop.newId())).run(tx -> {}))
                .isInstanceOf(StoreException.class);
    }

    @Test
    void a_database_that_only_reads_is_met_again_later() throws SQLException {
        String database = this.database.name();
        Key key = Shop.newKey();
        try (HikariDataSource one = this.database.pooledAt(proxy.port(), 1);
                Hapax alone = Shop.builder(one).housekeeping(false).open()) {
            this.database.execute("ALTER DATABASE \"" + database + "\" SET default_transaction_read_only = on");
            assertThatThrownBy(() -> alone.once(key).run(tx -> {
                        Shop.effect(tx.connection(), key.id());
                        proxy.cutAfterCommitSent();
                    }))
                    .isInstanceOf(RetryException.class)
                    .hasMessageContaining("not known");
            Key other = Shop.newKey();
            assertThatThrownBy(() -> alone.once(other).run(tx -> Shop.effect(tx.connection(), other.id())))
                    .isInstanceOf(RetryException.class)
                    .hasMessageContaining("takes no writes");
            assertThat(effects(other)).isZero();
        }
        assertThat(effects(key)).isEqualTo(1);
    }
}
