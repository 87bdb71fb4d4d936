package dev.hapax.process;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.FencedException;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Probe;
import dev.hapax.testkit.ChildJvm;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;

/** What the child processes of the tests of claims run. Their bank is a table that is written in transactions of its own. */
public final class ClaimWorker {

    static final String SCOPE = "payments.charge";

    private final DataSource bank;
    private final double seconds;

    private ClaimWorker(DataSource bank, double seconds) {
        this.bank = bank;
        this.seconds = seconds;
    }

    /** @param args the database's URL, then {@code work LEASE_MILLIS} or {@code claim ID LEASE_MILLIS SECONDS} */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(8);
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax = Shop.builder(pool).open()) {
            if (args[1].equals("work")) {
                work(hapax, new ClaimWorker(pool, 0.004), Duration.ofMillis(Long.parseLong(args[2])));
            } else {
                ClaimWorker worker = new ClaimWorker(pool, Double.parseDouble(args[4]));
                claim(hapax, worker, args[2], Duration.ofMillis(Long.parseLong(args[3])));
            }
        }
    }

    /** Its "not done" is not final: what was sent may arrive a moment later. */
    private static CallPolicy policy(Duration lease) {
        return CallPolicy.notIdempotent()
                .lease(lease)
                .arrivesWithin(Duration.ofSeconds(1))
                .backoff(Duration.ofMillis(20), Duration.ofMillis(200));
    }

    private static void work(Hapax hapax, ClaimWorker worker, Duration lease) throws InterruptedException {
        var kind = hapax.claims(SCOPE, String.class, String.class)
                .perform((id, call) -> worker.charge(id, call))
                .probe((id, call) -> worker.find(id))
                .policy(policy(lease))
                .settling((id, charge, tx) -> Shop.effect(tx.connection(), id))
                .concurrency(4)
                .idle(Duration.ofMillis(50))
                .start();
        System.out.println("working");
        Thread.currentThread().join();
        kind.close();
    }

    private static void claim(Hapax hapax, ClaimWorker worker, String id, Duration lease) {
        try {
            var result = hapax.claim(Key.of(SCOPE, id))
                    .perform(call -> worker.charge(id, call))
                    .probe(call -> worker.find(id))
                    .policy(policy(lease))
                    .settling((charge, tx) -> Shop.effect(tx.connection(), id))
                    .settleWithin(Duration.ofMinutes(1));
            System.out.println("result " + result);
        } catch (FencedException e) {
            System.out.println("fenced");
        }
    }

    /** Charges, and takes its time before and after that. */
    private String charge(String id, Call call) throws SQLException {
        try (Connection connection = bank.getConnection()) {
            sleep(connection);
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO bank (id, key) VALUES (?, ?)")) {
                insert.setString(1, id);
                insert.setString(2, call.idempotencyKey());
                insert.executeUpdate();
            }
            sleep(connection);
            return "charge of " + id;
        }
    }

    private void sleep(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT pg_sleep(?)")) {
            select.setDouble(1, seconds / 2);
            select.execute();
        }
    }

    private Probe<String> find(String id) throws SQLException {
        try (Connection connection = bank.getConnection();
                PreparedStatement select = connection.prepareStatement("SELECT 1 FROM bank WHERE id = ?")) {
            select.setString(1, id);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Probe.done("charge of " + id) : Probe.notDone();
            }
        }
    }
}
