package dev.hapax.benchmarks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Another transaction stays open, has written, and holds back what a vacuum may remove. */
final class FlatOpenTransactionBenchmark implements Benchmark {

    private static final int PRODUCERS = 4;
    private static final int LAST_PART = 5;

    @Override
    public String name() {
        return "flat-open-transaction";
    }

    @Override
    public String about() {
        return "publishing and delivery while another transaction stays open (--hold PT10M: ten minutes), beside none";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        report.setting("transaction open for", plan.hold());
        try (Lab free = Lab.open(report);
                Lab burdened = free.beside();
                Crew producers = new Crew(PRODUCERS)) {
            LiveFlow withFlow = new LiveFlow(burdened, producers);
            LiveFlow freeFlow = new LiveFlow(free, producers);
            Cell with = withFlow.byHapax("with");
            Cell without = freeFlow.byHapax("without");
            List<Double> ratios = new ArrayList<>();
            List<Double> withRates = new ArrayList<>();
            List<Double> withoutRates = new ArrayList<>();
            Duel before = new Duel(plan, with, without);
            before.run();
            try (Connection open = burdened.pool.getConnection()) {
                open(open);
                long until = System.nanoTime() + plan.hold().toNanos();
                while (System.nanoTime() - until < 0 || ratios.size() < LAST_PART) {
                    Cell.Done withDone = turn(plan, with);
                    Cell.Done withoutDone = turn(plan, without);
                    withRates.add(withDone.rate());
                    withoutRates.add(withoutDone.rate());
                    ratios.add(withDone.rate() / withoutDone.rate());
                }
                open.rollback();
                open.setAutoCommit(true);
            }
            figures(report, before, with, without, withRates, withoutRates, ratios);
            Messages.checkAtTheEnd(burdened, with.name);
            report.checked(
                    "%,d messages delivered with it, each once, positions at the end without gaps",
                    burdened.number("SELECT count(*) FROM hapax.log"));
            WrongRows.unlessEqual(
                    "effects", burdened.number("SELECT count(*) FROM hapax.log"), burdened.effectsOf("with"));
        }
    }

    private static Cell.Done turn(Plan plan, Cell cell) throws Exception {
        return cell.run(Duration.ofNanos((long) (plan.seconds() * 1e9)));
    }

    /** It owns an xid and a snapshot, as a report that also writes does. */
    private static void open(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // The server ends idle transactions sooner.
            statement.execute("SET idle_in_transaction_session_timeout = 0");
        }
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMPORARY TABLE unrelated AS SELECT count(*) FROM bench.effect");
        }
    }

    private static void figures(
            Report report,
            Duel before,
            Cell with,
            Cell without,
            List<Double> withRates,
            List<Double> withoutRates,
            List<Double> ratios) {
        report.part(PRODUCERS + " producers, one consumer");
        report.figure("before it opens, one database / the other", before.ratio(with, without));
        report.figure("with it, published and delivered, messages/s", Spread.of(withRates));
        report.figure("without it, messages/s", Spread.of(withoutRates));
        report.figure("with / without, over the whole time", Spread.of(ratios));
        List<Double> last =
                ratios.subList(ratios.size() - Math.max(LAST_PART, ratios.size() / LAST_PART), ratios.size());
        report.figure("with / without, in the last fifth of the time", Spread.of(last), Target.atLeast(0.9));
    }
}
