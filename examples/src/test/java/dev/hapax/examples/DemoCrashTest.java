package dev.hapax.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.testkit.ChildJvm;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The demo as a person runs it, on fewer orders, and looked at with plain SQL. */
@Tag("slow")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class DemoCrashTest {
    private static final int LINES = 400;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long SIGINT = 1L << 1;

    @TempDir
    private Path folder;

    @Test
    void each_line_takes_effect_once_whoever_is_killed_and_the_rows_can_be_looked_at() throws Exception {
        Path data = folder.resolve("data");
        Path report = folder.resolve("report.json");
        String orders = someOrders().toString();

        CommandRun run = CommandRun.of(
                "demo",
                "--orders",
                orders,
                "--kills",
                "3",
                "--seed",
                "11",
                "--repeats",
                "0.5",
                "--data",
                data.toString(),
                "--report",
                report.toString());

        assertThat(run.status()).as(run.out() + run.err()).isZero();
        assertThat(run.out()).contains("seed 11").contains("exact: each order line took effect once");
        checkReport(report, "exact");
        withDatabase(data, DemoCrashTest::checkRows);

        // The next run in the same folder replaces it; what it would count twice is gone.
        CommandRun next =
                CommandRun.of("demo", "--orders", orders, "--kills", "0", "--workers", "1", "--data", data.toString());
        assertThat(next.status()).as(next.out() + next.err()).isZero();
    }

    private static void checkReport(Path file, String verdict) throws IOException {
        JsonNode report = JsonMapper.shared().readTree(Files.readString(file));
        assertThat(report.propertyNames())
                .containsExactly(
                        "verdict",
                        "orders",
                        "applied",
                        "billed",
                        "bank",
                        "twice",
                        "lost",
                        "sent",
                        "repeats",
                        "replayed",
                        "kills",
                        "seconds",
                        "linesPerSecond");
        assertThat(report.get("verdict").asString()).isEqualTo(verdict);
        assertThat(report.get("orders").propertyNames()).containsExactly("invoices", "lines", "quantity", "amount");
        assertThat(report.get("applied").propertyNames()).containsExactly("lines", "quantity", "amount");
        assertThat(report.get("billed").propertyNames()).containsExactly("lines", "amount");
        assertThat(report.get("applied").get("amount").asString())
                .isEqualTo(report.get("orders").get("amount").asString());
        assertThat(report.get("orders").get("lines").asInt()).isEqualTo(LINES);
        assertThat(report.get("kills").asInt()).isEqualTo(3);
        assertThat(report.get("repeats").asInt()).isGreaterThanOrEqualTo(LINES / 2);
        assertThat(report.get("sent").asInt())
                .isEqualTo(LINES + report.get("repeats").asInt());
        assertThat(report.get("replayed").asInt()).isPositive();
        checkBank(report);
    }

    /** What the bank has taken and given back is what was ordered. */
    private static void checkBank(JsonNode report) {
        JsonNode bank = report.get("bank");
        assertThat(bank.propertyNames())
                .containsExactly("charged", "refunded", "charges", "refunds", "twice", "inDoubt");
        assertThat(bank.get("twice").asInt()).isZero();
        assertThat(bank.get("inDoubt").asInt()).isZero();
        assertThat(bank.get("charges").asInt()).isPositive();
        assertThat(bank.get("refunds").asInt()).isPositive();
        assertThat(new BigDecimal(bank.get("charged").asString())
                        .subtract(new BigDecimal(bank.get("refunded").asString())))
                .isEqualByComparingTo(report.get("orders").get("amount").asString());
    }

    @Test
    void a_bank_that_ignores_keys_is_asked_before_it_is_called_again() throws Exception {
        Path report = folder.resolve("report.json");

        CommandRun run = CommandRun.of(
                "demo",
                "--bank",
                "asked",
                "--orders",
                someOrders().toString(),
                "--kills",
                "2",
                "--report",
                report.toString());

        assertThat(run.status()).as(run.out() + run.err()).isZero();
        checkBank(JsonMapper.shared().readTree(Files.readString(report)));
    }

    private static void checkRows(Connection connection) throws SQLException {
        assertThat(ask(connection, "SELECT count(*) FROM shop.order_line")).isEqualByComparingTo("400");
        assertThat(ask(connection, "SELECT count(*) FROM (SELECT DISTINCT invoice, line FROM shop.order_line) AS d"))
                .isEqualByComparingTo("400");
        assertThat(ask(connection, "SELECT count(*) FROM billing.ledger")).isEqualByComparingTo("400");
        assertThat(ask(connection, "SELECT count(*) FROM (SELECT DISTINCT invoice, line FROM billing.ledger) AS d"))
                .isEqualByComparingTo("400");
        BigDecimal amount = ask(connection, "SELECT sum(quantity * unit_price) FROM shop.order_line");
        assertThat(ask(connection, "SELECT sum(amount) FROM billing.ledger")).isEqualByComparingTo(amount);
        assertThat(ask(connection, "SELECT sum(amount) FROM billing.balance")).isEqualByComparingTo(amount);
        assertThat(ask(connection, "SELECT -sum(quantity) FROM shop.stock"))
                .isEqualByComparingTo(ask(connection, "SELECT sum(quantity) FROM shop.order_line"));
    }

    @Test
    void without_hapax_the_same_is_not_exact() throws Exception {
        Path report = folder.resolve("report.json");

        CommandRun run = CommandRun.of(
                "demo",
                "--naive",
                "--orders",
                someOrders().toString(),
                "--workers",
                "1",
                "--kills",
                "1",
                "--report",
                report.toString());

        assertThat(run.status()).as(run.out() + run.err()).isEqualTo(1);
        assertThat(run.out()).contains("not exact; the differing keys").contains("took effect twice");
        JsonNode json = JsonMapper.shared().readTree(Files.readString(report));
        assertThat(json.get("verdict").asString()).isEqualTo("not exact");
        assertThat(json.get("twice").asInt()).isPositive();
        assertThat(json.get("applied").get("lines").asInt()).isGreaterThan(LINES);
    }

    @Test
    void an_interrupt_leaves_no_process_behind() throws Exception {
        Path data = folder.resolve("data");
        ChildJvm demo = command("demo", "--workers", "1", "--rate", "50", "--data", data.toString());
        demo.awaitLineAfter(0, line -> line.matches(".* applied [1-9].*"), PATIENCE);
        List<ProcessHandle> family = family(demo, data);
        // A shop, a billing, the database.
        assertThat(family).hasSizeGreaterThanOrEqualTo(3).allMatch(ProcessHandle::isAlive);

        interrupt(demo);

        demo.awaitExit(PATIENCE);
        awaitEnd(family);
        assertThat(data.resolve("postgresql/postmaster.pid")).doesNotExist();
    }

    @Test
    void the_processes_end_when_the_demo_is_killed_and_the_folder_can_be_used_again() throws Exception {
        Path data = folder.resolve("data");
        ChildJvm demo = command("demo", "--workers", "1", "--rate", "50", "--data", data.toString());
        demo.awaitLineAfter(0, line -> line.matches(".* applied [1-9].*"), PATIENCE);
        List<ProcessHandle> family = family(demo, data);

        demo.kill9();

        awaitEnd(family);
        withDatabase(
                data,
                connection -> assertThat(ask(connection, "SELECT count(*) FROM shop.order_line"))
                        .isPositive());
    }

    private interface Look {
        void at(Connection connection) throws SQLException;
    }

    /** As a person would: starts {@code ./hapax db}, connects to what its first line says, and interrupts it. */
    private static void withDatabase(Path data, Look look) throws Exception {
        try (ChildJvm db = command("db", "--data", data.toString())) {
            db.awaitLine("psql -h 127.0.0.1", PATIENCE);
            String url = db.lines().getFirst();
            assertThat(url).startsWith("jdbc:postgresql://127.0.0.1:");
            try (Connection connection = DriverManager.getConnection(url)) {
                look.at(connection);
            }
            interrupt(db);
            db.awaitExit(PATIENCE);
        }
        assertThat(data.resolve("postgresql/postmaster.pid")).doesNotExist();
    }

    private static ChildJvm command(String... arguments) {
        return ChildJvm.of(Main.class).heap(256).arguments(arguments).start();
    }

    /** The demo's processes, the database's last: that one is nobody's child. */
    private static List<ProcessHandle> family(ChildJvm demo, Path data) throws IOException {
        List<ProcessHandle> family = new ArrayList<>(
                ProcessHandle.of(demo.pid()).orElseThrow().children().toList());
        long database = Long.parseLong(Files.readAllLines(data.resolve("postgresql/postmaster.pid"))
                .getFirst()
                .strip());
        ProcessHandle postmaster = ProcessHandle.of(database).orElseThrow();
        family.remove(postmaster);
        family.add(postmaster);
        return family;
    }

    private static void awaitEnd(List<ProcessHandle> family) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(family).noneMatch(DemoCrashTest::isWorking));
    }

    /** One that has ended stays listed until its parent looks, which in a container may be never. */
    static boolean isWorking(ProcessHandle process) {
        Path status = Path.of("/proc", Long.toString(process.pid()), "status");
        try {
            return process.isAlive()
                    && (!Files.exists(status) || !Files.readString(status).contains("State:\tZ"));
        } catch (IOException goneMeanwhile) {
            return process.isAlive();
        }
    }

    /** Ctrl-C; or SIGTERM where a shell has started the tests in the background, which makes all its offspring deaf to it. */
    private static void interrupt(ChildJvm child) throws Exception {
        Process kill = new ProcessBuilder("sh", "-c", "kill -" + (isDeaf() ? "TERM" : "INT") + " " + child.pid())
                .inheritIO()
                .start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    private static boolean isDeaf() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & SIGINT) != 0);
    }

    private static BigDecimal ask(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getBigDecimal(1);
        }
    }

    private Path someOrders() throws IOException {
        try (InputStream in = DemoCrashTest.class.getResourceAsStream("online-retail.csv")) {
            List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            return Files.write(folder.resolve("orders.csv"), lines.subList(0, LINES + 1));
        }
    }
}
